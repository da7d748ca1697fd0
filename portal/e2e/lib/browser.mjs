// One Chromium with one page, and a record of everything that went over its wire.
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../tools/', import.meta.url));
const { chromium } = require('playwright-core');

const flags = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
  '--disable-dev-shm-usage', // small in containers, and a page that finds it full crashes
];

// open opens Chromium at base. Calls to each of the bases are recorded.
export async function open(base, bases = [base]) {
  const profile = await mkdtemp(path.join(os.tmpdir(), 'greenroom-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    headless: true,
    chromiumSandbox: false,
    args: flags,
    baseURL: base,
    locale: 'en-US',
    viewport: { width: 1500, height: 940 },
  });
  context.setDefaultTimeout(15_000);
  context.setDefaultNavigationTimeout(30_000);
  const page = context.pages()[0] ?? (await context.newPage());
  const record = watch(page, bases);
  return {
    page, record,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

// watch records the calls to the API with their times, and what no walk may
// cause: errors that nothing caught, and answers that a person would miss.
function watch(page, bases) {
  const record = { calls: [], errors: [], failures: [], sockets: 0, listening: false };
  const isOurs = url => bases.some(base => url.startsWith(base));
  const isCall = url => isOurs(url) && new URL(url).pathname.startsWith('/api/');
  const path = url => url.slice(new URL(url).origin.length);
  page.on('pageerror', error => record.errors.push(`${page.url()}: ${error.stack ?? error}`));
  page.on('websocket', socket => {
    record.sockets++;
    socket.on('framesent', ({ payload }) => {
      record.listening ||= String(payload).includes('"subscribe"');
    });
  });
  page.on('requestfinished', async request => {
    if (!isCall(request.url())) {
      return;
    }
    const response = await request.response().catch(() => null);
    if (!response) {
      return;
    }
    const { requestStart, responseStart, responseEnd } = request.timing();
    record.calls.push({
      method: request.method(),
      path: new URL(request.url()).pathname,
      status: response.status(),
      first: responseStart - requestStart,
      whole: responseEnd - requestStart,
      stream: (response.headers()['content-type'] ?? '').startsWith('text/event-stream'),
    });
    if (response.status() >= 400) {
      record.failures.push({ method: request.method(), url: path(request.url()), status: response.status(), at: page.url() });
    }
  });
  page.on('requestfailed', request => {
    const why = request.failure()?.errorText ?? '';
    // A page that is left gives up what it still waits for.
    if (isOurs(request.url()) && why !== 'net::ERR_ABORTED') {
      record.failures.push({ method: request.method(), url: path(request.url()), status: why, at: page.url() });
    }
  });
  return record;
}
