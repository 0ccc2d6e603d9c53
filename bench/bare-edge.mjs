// The peer of signed orders: the least a signed API in Node can do. Fastify, JSON, one Ed25519 check, an answer of the same
// size; no limits, no account, no book, nothing durable.
import { createHash, createPublicKey, verify } from 'node:crypto';
import fastify from 'fastify';

const keys = new Map();
for (const der of JSON.parse(process.argv[2])) {
  const key = createPublicKey({ key: Buffer.from(der, 'base64'), format: 'der', type: 'spki' });
  const bytes = Buffer.from(key.export({ format: 'jwk' }).x, 'base64url');
  keys.set(createHash('sha256').update(bytes).digest('base64').slice(0, 43), key);
}
const app = fastify();
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
  done(null, body),
);
let count = 0;
app.post('/v1/orders', (request, reply) => {
  const { headers, body } = request;
  const key = keys.get(headers['x-thegrid-fingerprint']);
  const message = Buffer.concat([Buffer.from(`${headers['x-thegrid-timestamp']}POST/v1/orders`), body]);
  const isSigned = key && verify(null, message, key, Buffer.from(headers['x-thegrid-signature'], 'base64'));
  if (!isSigned) return reply.code(401).send({ error: { code: 'invalid_signature' } });
  const order = JSON.parse(body);
  count += 1;
  const filler = { created_at: new Date().toISOString(), note: 'x'.repeat(700) };
  return reply.code(201).send({ data: { id: `order_${count}`, status: 'cancelled', ...order, ...filler } });
});
await app.listen({ port: 0, host: '127.0.0.1' });
process.stdout.write(`EDGE_READY {"url":"http://127.0.0.1:${app.server.address().port}"}\n`);
process.on('SIGTERM', () => process.exit(0));
