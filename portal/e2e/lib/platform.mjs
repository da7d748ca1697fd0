// Starts the real binary with a data folder of its own, and stops it.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

async function refuseTakenPort(port) {
  const socket = net.connect(port, '127.0.0.1');
  const taken = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  if (taken) {
    throw new Error(`port ${port} is taken: stop what listens there, or set E2E_PORT`);
  }
}

// configuration is the sample with another port, the templates of the walk,
// leave to read the descriptors that the walk imports, and a policy if there is one.
function configuration(base, port, descriptors, policy) {
  return JSON.stringify({
    app: { baseUrl: base, dist: process.env.E2E_DIST || path.join(root, 'portal/dist') },
    backend: {
      baseUrl: base,
      listen: { host: '127.0.0.1', port },
      reading: { allow: [{ host: new URL(descriptors).host }] },
      auth: { externalAccess: [{ type: 'static', options: { token: serviceToken, subject: 'e2e' } }] },
    },
    permission: { enabled: true, policy },
    auth: { experimentalDynamicClientRegistration: { enabled: true } },
    catalog: {
      locations: [
        { type: 'directory', target: './testdata/catalog' },
        { type: 'directory', target: './portal/e2e/catalog' },
      ],
    },
  });
}

export const serviceToken = 'the-walk-calls-as-a-service';

// ask asks the API as a service, where the walk has to know what a person can
// look up.
export async function ask(world, path) {
  const answer = await fetch(world.base + path, { headers: { Authorization: `Bearer ${serviceToken}` } });
  if (!answer.ok) {
    throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
  }
  return answer.json();
}

// register registers a descriptor as a service.
export async function register(world, target) {
  const answer = await fetch(`${world.base}/api/catalog/locations`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${serviceToken}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ type: 'url', target }),
  });
  if (answer.status !== 201) {
    throw new Error(`POST /api/catalog/locations: ${answer.status} ${await answer.text()}`);
  }
}

// start returns once the server is ready. `started` is when the process began,
// `ready` when it said that it is ready, both by performance.now(). Without a
// policy everything is allowed. What `more` holds goes over the rest of the
// configuration.
export async function start({ port, descriptors, policy, more = {} }) {
  await refuseTakenPort(port);
  const base = `http://localhost:${port}`;
  const folder = await mkdtemp(path.join(os.tmpdir(), 'greenroom-e2e-'));
  const config = path.join(folder, 'app-config.yaml');
  await writeFile(config, configuration(base, port, descriptors, policy));
  const further = path.join(folder, 'more.yaml');
  await writeFile(further, JSON.stringify(more));
  const log = createWriteStream(path.join(folder, 'log'));
  await once(log, 'open');
  const started = performance.now();
  const server = spawn(
    process.env.E2E_PLATFORM || path.join(root, 'bin/platform'),
    ['serve', '--config', 'testdata/configs/sample.yaml', '--config', config, '--config', further, '--data', path.join(folder, 'data')],
    { cwd: root, stdio: ['ignore', log, log] },
  );
  const ended = once(server, 'exit');
  const platform = {
    base, folder, log: path.join(folder, 'log'), started,
    async stop() {
      server.kill('SIGTERM');
      const [status] = await ended;
      if (status !== 0) {
        throw new Error(`the server ended with status ${status}; its log is ${platform.log}`);
      }
    },
    forget: () => rm(folder, { recursive: true, force: true }),
  };
  await untilReady(base, server, platform.log);
  platform.ready = performance.now();
  return platform;
}

async function untilReady(base, server, log) {
  for (let deadline = performance.now() + 30_000; performance.now() < deadline; ) {
    if (server.exitCode !== null) {
      throw new Error(`the server ended during its start; its log is ${log}`);
    }
    const answer = await fetch(`${base}/.backstage/health/v1/readiness`).catch(() => undefined);
    if (answer?.ok) {
      return;
    }
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  throw new Error(`the server was not ready after 30 s; its log is ${log}`);
}
