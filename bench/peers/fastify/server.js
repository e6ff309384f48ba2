// The four operations of ./dev bench peers, as they are usually written with Fastify, pg and ajv: a process a core, each with a pool of its own.
'use strict'
const cluster = require('node:cluster')
const { randomUUID } = require('node:crypto')
const { readFileSync } = require('node:fs')
const Fastify = require('fastify')
const pg = require('pg')
const { Ajv2020 } = require('ajv/dist/2020')
const addFormats = require('ajv-formats')
const { createVerifier } = require('fast-jwt')
const { v7: uuidv7 } = require('uuid')

const config = JSON.parse(readFileSync(process.env.PEER_CONFIG, 'utf8'))
const contract = JSON.parse(readFileSync(config.contract, 'utf8'))

class Problem extends Error {
  constructor(status, title) {
    super(title)
    this.statusCode = status
  }
}

// --- the database: BEGIN, the claims, the statements and COMMIT in one pipeline, prepared once a connection

const pool = new pg.Pool({
  host: config.socket, user: config.user, database: config.database, max: config.sessions / config.processes,
  options: config.options, pipeline: true,
})

function statement(name, values) {
  return { name, text: config.statements[name], values }
}

function claims(call, operation, target) {
  const { who } = call
  return [config.classes[who.role], who.role, `{${(who.councils ?? []).join(',')}}`, who.org_id ?? '', who.carer_id ?? '', who.sub,
    who.client_id, operation, randomUUID(), target, '']
}

// The rows of the last statement, after the commit.
async function transact(call, operation, target, kind, ...statements) {
  const client = await pool.connect()
  const sent = [statement('begin'), statement(kind, claims(call, operation, target)), ...statements, statement('commit')]
  const answers = await Promise.allSettled(sent.map((query) => client.query(query)))
  const failed = answers.find((answer) => answer.status === 'rejected')
  client.release()
  if (failed) throw failed.reason
  if (answers.at(-1).value.command !== 'COMMIT') throw new Error('the transaction was not committed')
  return answers.at(-2).value.rows
}

// --- tokens: fast-jwt, with its cache of verified ones

const verify = createVerifier({
  key: readFileSync(config.key), algorithms: ['RS256'], allowedIss: config.issuer, allowedAud: config.audience, cache: 1000,
})

function authenticate(request) {
  const header = request.headers.authorization ?? ''
  if (!header.startsWith('Bearer ')) throw new Problem(401, 'this operation needs an access token')
  try {
    request.who = verify(header.slice(7))
  } catch {
    throw new Problem(401, 'the token does not verify')
  }
  const { scopes, roles } = request.routeOptions.config
  const granted = (request.who.scope ?? '').split(' ')
  if (!scopes.every((scope) => granted.includes(scope))) throw new Problem(403, 'this operation wants scopes that the token lacks')
  if (roles.length && !roles.includes(request.who.role)) throw new Problem(403, 'this operation is not for this role')
}

// --- validation: ajv, with the schemas of the contract

const formats = {
  'gss-code': /^[A-Z][0-9]{8}$/,
  language: /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/,
  'nhs-number': (text) => /^[0-9]{10}$/.test(text) &&
    (11 - [...text.slice(0, 9)].reduce((sum, digit, at) => sum + digit * (10 - at), 0) % 11) % 11 === Number(text[9]),
}

function validator(options) {
  const ajv = new Ajv2020({ strict: false, ...options })
  addFormats(ajv)
  for (const [name, format] of Object.entries(formats)) ajv.addFormat(name, format)
  return ajv.addSchema({ $id: 'contract', components: contract.components })
}

const bodies = validator({ allErrors: true })
const texts = validator({ coerceTypes: true }) // of the path and the query

const ref = (pointer) => ({ $ref: `contract#${pointer}` })

// References of the contract as seen from outside of it.
function outside(schema) {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"contract#/'))
}

function query(operation) {
  const parameters = (operation.parameters ?? []).map((p) => (p.$ref ? contract.components.parameters[p.$ref.split('/').at(-1)] : p))
  const properties = parameters.filter((p) => p.in === 'query').map((p) => [p.name, outside(p.schema)])
  return { type: 'object', additionalProperties: false, properties: Object.fromEntries(properties) }
}

// --- the operations

const app = Fastify({ logger: false })
app.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? bodies : texts).compile(schema))
app.decorateRequest('who', null)
app.addHook('onRequest', async (request) => authenticate(request))
app.setErrorHandler((fault, request, reply) => {
  const status = fault.validation ? (fault.validationContext === 'body' ? 422 : 400) : fault.statusCode ?? 500
  if (status >= 500) console.error(fault)
  reply.code(status).type('application/problem+json').send({ status, title: fault.message })
})

function route(method, path, schema, handler) {
  const operation = contract.paths[path][method.toLowerCase()]
  const scopes = operation.security.at(-1).token
  app.route({
    method, url: path.replace(/\{(\w+)\}/g, ':$1'), handler, config: { scopes, roles: operation['x-roles'] ?? [] },
    schema: { querystring: query(operation), ...schema },
  })
}

const carerId = { type: 'object', required: ['carer_id'], properties: { carer_id: ref('/components/schemas/Id') } }
// PostgreSQL makes the JSON, as for the service; it is passed on as it is.
const json = (reply, text) => reply.type('application/json').send(text)

route('GET', '/v1/carers/{carer_id}', { params: carerId }, async (request, reply) => {
  const id = request.params.carer_id
  const [found] = await transact(request, 'getCarer', id, 'claims_noted', statement('carer_read', [id]))
  if (!found) throw new Problem(404, 'no carer has this id')
  return json(reply.header('ETag', `"v${found.version}"`), found.body)
})

route('GET', '/v1/carers', {}, async (request, reply) => {
  const q = request.query
  const [page] = await transact(request, 'listCarers', '', 'claims_noted', statement('carers_of_councils',
    [q.limit ?? 50, q.cursor, q.council, q.state, q.source, q.known_to_social_care]))
  return json(reply, page.body)
})

route('POST', '/v1/carers', { body: ref('/components/schemas/CarerCreate') }, async (request, reply) => {
  const id = uuidv7()
  const [made] = await transact(request, 'createCarer', '', 'claims',
    statement('carer_insert', [id, JSON.stringify(request.body), request.query.allow_duplicate]), statement('carer_by_id', [id]))
  return json(reply.code(201).header('Location', `/v1/carers/${id}`).header('ETag', `"v${made.version}"`), made.body)
})

route('POST', '/v1/directory/search', { body: ref('/components/schemas/DirectorySearch') }, async (request, reply) => {
  const [page] = await transact(request, 'searchServicesPrivately', '', 'claims_noted',
    statement('services_search', [JSON.stringify(request.body)]))
  return json(reply, page.body)
})

// --- processes

if (cluster.isPrimary) {
  for (let n = 0; n < config.processes; n++) cluster.fork()
  process.on('SIGTERM', () => process.exit(0))
  cluster.on('exit', () => process.exit(1))
} else {
  process.on('disconnect', () => process.exit(0))
  app.listen({ host: '127.0.0.1', port: config.port })
}
