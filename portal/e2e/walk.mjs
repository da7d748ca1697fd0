// Walks through the stock frontend as a person would, against the real binary,
// and asserts what that person sees. Run by `make e2e`.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import * as platforms from './lib/platform.mjs';
import * as browsers from './lib/browser.mjs';
import { serveDescriptors } from './lib/descriptors.mjs';
import { isExcused } from './lib/excused.mjs';
import { table } from './lib/timings.mjs';
import { signIn } from './walk/signin.mjs';
import { catalogTable } from './walk/catalog.mjs';
import { entityPages } from './walk/entities.mjs';
import { registration } from './walk/registration.mjs';
import { templates } from './walk/templates.mjs';
import { search } from './walk/search.mjs';
import { consent } from './walk/consent.mjs';
import { policies } from './walk/policies.mjs';
import { aroundTheUser } from './walk/user.mjs';
import { accounts } from './walk/accounts.mjs';

const sections = [signIn, catalogTable, entityPages, registration, templates, search, consent, policies, aroundTheUser, accounts];
const only = process.env.E2E_ONLY; // a section's name; signing in always happens

const failed = fileURLToPath(new URL('./failures', import.meta.url));
const world = {}; // what the checks share: platform, descriptors, page, record, base

before(async () => {
  await rm(failed, { recursive: true, force: true });
  world.descriptors = await serveDescriptors();
  const port = Number(process.env.E2E_PORT || 7507);
  world.base = `http://localhost:${port}`;
  world.guarded = { port: port + 1, base: `http://localhost:${port + 1}` }; // where a policy says no
  Object.assign(world, await browsers.open(world.base, [world.base, world.guarded.base]));
  world.platform = await platforms.start({ port, descriptors: world.descriptors.base });
});

after(async () => {
  await world.close?.();
  await world.platform?.stop();
  await world.descriptors?.close();
  await world.platform?.forget();
});

for (const section of sections) {
  if (only && only !== section.name && section !== signIn) {
    continue;
  }
  test(section.name, async t => {
    await section(world, (name, check) => t.test(name, { timeout: 120_000 }, () => run(`${section.name} ${name}`, check)));
  });
}

test('the whole walk', async t => {
  await t.test('opened the socket for signals', () => assert.ok(world.record.sockets > 0));
  const streams = world.record.calls.length;
  await t.test('called the API', () => assert.ok(streams > 0));
  t.diagnostic(`${streams} calls to the API; times of answers as the browser saw them:\n${table(world.record.calls)}`);
  for (const [what, ms] of Object.entries(world.times ?? {})) {
    t.diagnostic(`${what}: ${Math.round(ms)} ms`);
  }
});

// run runs one check, and fails it as well for an answer or an error that a
// person would stumble over. What the page looked like is kept.
async function run(name, check) {
  const { record } = world;
  record.errors.length = 0;
  record.failures.length = 0;
  try {
    await check();
    assert.deepEqual(record.errors, [], 'errors that the page did not catch');
    assert.deepEqual(record.failures.filter(f => !isExcused(f)), [], 'calls that failed');
  } catch (error) {
    await keep(name);
    throw error;
  }
}

async function keep(name) {
  await mkdir(failed, { recursive: true });
  const file = path.join(failed, name.replace(/[^a-z0-9]+/gi, '-'));
  await world.page.screenshot({ path: `${file}.png`, timeout: 10_000 }).catch(() => {});
  const seen = await world.page.locator('body').ariaSnapshot({ timeout: 10_000 }).catch(() => '');
  await writeFile(`${file}.txt`, `${world.page.url()}\n\n${seen}\n`);
}
