// Places orders over sockets, one for every account, with many commands under way on each. Reads one job as JSON from argv,
// prints the result as JSON.
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { createRequire } from 'node:module';
import { percentile } from './http-load.mjs';

const { WebSocket } = createRequire(new URL('../apps/server/package.json', import.meta.url))('ws');
const TOPIC = 'ws:trading';

function authentication(pem, challenge) {
  const key = createPrivateKey(pem);
  const bytes = Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x, 'base64url');
  const fingerprint = createHash('sha256').update(bytes).digest('base64').slice(0, 43);
  const timestamp = String(Math.floor(Date.now() / 1000));
  const text = ['opengrid-ws-v2', timestamp, fingerprint, challenge].join('\n');
  return {
    timestamp,
    fingerprint,
    challenge,
    signature: sign(null, Buffer.from(text), key).toString('base64'),
  };
}

/** Orders that end at once: half of them take a unit of what rests, half find nothing at their price. */
function orderAt(index, name) {
  const isTaker = index % 2 === 0;
  return JSON.stringify({
    market_id: 'text-standard',
    side: 'buy',
    type: 'limit',
    time_in_force: 'ioc',
    quantity: 1,
    price: isTaker ? '0.25' : '0.11',
    client_order_id: `${name}-${index}`,
  });
}

function open(url, pem) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?vsn=1.0.0`, { perMessageDeflate: false });
  const send = (event, payload, ref) => socket.send(JSON.stringify({ topic: TOPIC, event, payload, ref }));
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => send('phx_join', {}, '1'));
    socket.on('message', (data) => {
      const { ref, payload } = JSON.parse(data);
      if (ref === '1') send('authenticate', authentication(pem, payload.response.challenge), '2');
      else if (ref === '2' && payload.status === 'ok') resolve(socket);
      else reject(new Error(`not let in: ${data}`));
    });
  });
}

/** Keeps `width` commands under way until the time is over and all are answered. */
function run(socket, { width, name, isOver }, result) {
  socket.removeAllListeners('message');
  const sentAt = new Map();
  let count = 0;
  return new Promise((resolve) => {
    const fill = () => {
      while (sentAt.size < width && !isOver()) {
        count += 1;
        const ref = String(count);
        sentAt.set(ref, performance.now());
        socket.send(
          `{"topic":"${TOPIC}","event":"order.place","ref":"${ref}","payload":${orderAt(count, name)}}`,
        );
      }
      if (sentAt.size === 0) resolve();
    };
    socket.on('message', (data) => {
      const { event, ref, payload } = JSON.parse(data);
      if (event !== 'phx_reply' || !sentAt.has(ref)) return;
      result.latencies.push(performance.now() - sentAt.get(ref));
      sentAt.delete(ref);
      const status = payload.status === 'ok' ? '201' : payload.response.reason;
      result.statuses[status] = (result.statuses[status] ?? 0) + 1;
      fill();
    });
    socket.on('close', () => {
      result.errors += 1;
      resolve();
    });
    fill();
  });
}

const job = JSON.parse(process.argv[2]);
const sockets = await Promise.all(job.keys.map((pem) => open(job.url, pem)));
const result = { errors: 0, statuses: {}, latencies: [] };
const startedAt = performance.now();
const isOver = () => performance.now() - startedAt > job.seconds * 1000;
const width = Math.ceil(job.connections / sockets.length);
await Promise.all(
  sockets.map((socket, index) => run(socket, { width, name: `${job.name}-${index}`, isOver }, result)),
);
const seconds = (performance.now() - startedAt) / 1000;
for (const socket of sockets) socket.terminate();
const { latencies, ...rest } = result;
const [p50, p99, p999] = [0.5, 0.99, 0.999].map((share) => percentile(latencies, share));
process.stdout.write(JSON.stringify({ ...rest, done: latencies.length, seconds, p50, p99, p999 }));
