// A load of orders over sockets, in a process of its own; its one argument is the job as JSON.
// Every account has two sockets. Each keeps `window` commands on their way and sends the next one with every reply.
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { WebSocket } from 'ws';

const { url, keys, seconds, window: inFlight, name } = JSON.parse(process.argv[2]);
const latencies = [];
const statuses = new Map();
let done = 0;
let isOver = false;

function authenticate(key, challenge) {
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  const fingerprint = createHash('sha256').update(Buffer.from(x, 'base64url')).digest('base64').slice(0, 43);
  const timestamp = String(Math.floor(Date.now() / 1000));
  const text = `opengrid-ws-v2\n${timestamp}\n${fingerprint}\n${challenge}`;
  const signature = sign(null, Buffer.from(text), key).toString('base64');
  return { timestamp, fingerprint, challenge, signature };
}

const frame = (event, payload, ref) => JSON.stringify({ topic: 'ws:trading', event, payload, ref });

/** Half of the orders rest and half of them trade with what is offered. */
function order(id, count) {
  const price = count % 2 === 0 ? '0.2500' : `0.1${String(count % 900).padStart(3, '0')}`;
  const terms = { market_id: 'text-standard', side: 'buy', type: 'limit', quantity: 1, price };
  return { ...terms, time_in_force: count % 2 === 0 ? 'gtc' : 'ioc', client_order_id: id };
}

async function open(key, number) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { perMessageDeflate: false });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const ask = (event, payload) =>
    new Promise((resolve) => {
      socket.once('message', (data) => resolve(JSON.parse(String(data)).payload));
      socket.send(frame(event, payload, 'x'));
    });
  const { response } = await ask('phx_join', {});
  const authenticated = await ask('authenticate', authenticate(key, response.challenge));
  if (authenticated.status !== 'ok') throw new Error(JSON.stringify(authenticated));
  const sentAt = new Map();
  let count = 0;
  const next = () => {
    count += 1;
    const ref = String(count);
    sentAt.set(ref, performance.now());
    socket.send(frame('order.place', order(`${name}-${number}-${count}`, count), ref));
  };
  socket.on('message', (data) => {
    const text = String(data);
    const ref = text.slice(text.lastIndexOf('"ref":"') + 7, -2);
    latencies.push(performance.now() - sentAt.get(ref));
    sentAt.delete(ref);
    done += 1;
    const status = text.includes('"status":"ok"') ? 'ok' : (/"reason":"(\w+)"/.exec(text)?.[1] ?? 'error');
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (!isOver) next();
  });
  return { socket, begin: () => Array.from({ length: inFlight }, next) };
}

const privateKeys = keys.map((pem) => createPrivateKey(pem));
const clients = await Promise.all([...privateKeys, ...privateKeys].map(open));
const startedAt = performance.now();
for (const { begin } of clients) begin();
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
isOver = true;
const elapsed = (performance.now() - startedAt) / 1000;
const counted = done;
latencies.sort((a, b) => a - b);
const at = (share) => latencies[Math.floor(latencies.length * share)] ?? 0;
for (const { socket } of clients) socket.terminate();
console.log(
  JSON.stringify({
    done: counted,
    seconds: elapsed,
    p50: at(0.5),
    p99: at(0.99),
    p999: at(0.999),
    statuses: Object.fromEntries(statuses),
  }),
);
process.exit(0);
