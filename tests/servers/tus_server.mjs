// SPDX-License-Identifier: GPL-2.0-or-later
//
//	tus_server.mjs DIRECTORY SIZE_MAX NODE_MODULES CERTIFICATE KEY
//
// The tus protocol's own server, on a port of the loopback device that it prints, with TLS.
// Uploads are made at /files; who has no token gets 401.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { createRequire } from 'node:module'

const [directory, size, modules, certificate, key] = process.argv.slice(2)
const require = createRequire(modules + '/')
const { Server } = require('@tus/server')
const { FileStore } = require('@tus/file-store')

const tus = new Server({
	path: '/files',
	datastore: new FileStore({ directory }),
	maxSize: Number(size),
	relativeLocation: true,
})

const files = { cert: readFileSync(certificate), key: readFileSync(key) }
const server = createServer(files, (request, response) => {
	if (request.headers.authorization !== 'Bearer ' + process.env.TUS_TOKEN) {
		response.writeHead(401, { 'WWW-Authenticate': 'Bearer' })
		response.end('who are you?\n')
		return
	}
	tus.handle(request, response)
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
