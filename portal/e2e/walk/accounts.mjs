import assert from 'node:assert/strict';
import * as browsers from '../lib/browser.mjs';
import * as platforms from '../lib/platform.mjs';
import { startAccounts } from '../lib/accounts.mjs';
import { button, eventually, heading, see, text } from '../lib/see.mjs';

// accounts walks through the ways to sign in, each with a portal and a browser of
// its own, against doubles of the providers.
export async function accounts(world, check) {
  const outside = { ...world };
  const port = Number(process.env.E2E_PORT || 7507) + 1;
  const base = `http://localhost:${port}`;
  const provided = await startAccounts(base, port + 1);
  try {
    await visit(world, { port, base, more: { auth: provided.auth } }, () => byOAuth(world, check));
    await visit(world, { port, base, more: { auth: provided.auth, enableExperimentalRedirectFlow: true } }, () => byRedirect(world, check));
    const behind = { trustedProxies: '127.0.0.1', signIn: { resolvers: [{ resolver: 'forwardedUserMatchingUserEntityName' }] } };
    await visit(world, { port, base, more: { auth: { providers: { oauth2Proxy: behind } } } }, () => byHeaders(world, check));
  } finally {
    Object.assign(world, outside);
    await provided.stop();
  }
}

// visit lends the world another portal and browser while something runs.
async function visit(world, { port, base, more }, walk) {
  const browser = await browsers.open(base);
  const platform = await platforms.start({ port, descriptors: world.descriptors.base, more });
  Object.assign(world, browser, { base, platform });
  try {
    await walk();
  } finally {
    await browser.close();
    await platform.stop();
    await platform.forget();
  }
}

// offer is the card of a provider on the sign-in page.
const offer = (page, title) => page.getByRole('listitem').filter({ has: page.getByText(title, { exact: true }) });

// popup presses the button of a provider, and does something in the window that
// opens.
async function popup(page, title, inThere) {
  const opened = page.waitForEvent('popup');
  await button(offer(page, title), 'Sign In').click();
  const window = await opened;
  const closed = window.waitForEvent('close');
  await inThere(window);
  await closed;
}

async function signOut(page) {
  await page.goto('/settings');
  await button(page, 'more').click();
  await page.getByRole('menuitem', { name: 'Sign Out' }).click();
  await see(text(page, 'Sign in with GitHub'));
  await page.goto('/');
  await see(text(page, 'Sign in with GitHub'));
}

const calls = (world, method, path) => world.record.calls.filter(c => c.method === method && c.path === path && c.status === 200).length;

async function byOAuth(world, check) {
  const { page } = world;
  const unknown = /unable to resolve user identity/;

  await check('the sign-in page offers what is configured', async () => {
    await page.goto('/');
    for (const what of ['Enter as a Guest User', 'Sign in with GitHub', 'Sign in with GitLab', 'Sign in with the account of your organisation']) {
      await see(text(page, what));
    }
    assert.equal(world.record.calls.length, 0);
    const config = JSON.parse(await page.locator('script[type="backstage.io/config"]').textContent());
    const offered = { development: { signIn: {} } };
    assert.deepEqual(config[0].data.auth, { providers: { guest: {}, github: offered, gitlab: offered, oidc: offered } });
  });

  await check('who cancels at the provider is told so', async () => {
    await popup(page, 'GitHub', window => button(window, 'Cancel').click());
    await see(text(page, /the provider says access_denied/));
  });

  await check('somebody whom the catalog does not know stays outside', async () => {
    await popup(page, 'GitLab', window => button(window, 'Authorize as mallory').click());
    await see(text(page, unknown));
    await page.reload();
    await see(text(page, 'Sign in with GitHub'));
  });

  await check('with GitHub', async () => {
    await popup(page, 'GitHub', window => button(window, 'Authorize as amina.hassan').click());
    await see(heading(page, /Owned Components/));
    await page.goto('/settings');
    await see(heading(page, /User Entity: Amina Hassan/));
    await see(heading(page, /Ownership Entities: Amina Hassan , rentals/));
  });

  await check('a reload finds the session by the cookie', async () => {
    const before = calls(world, 'GET', '/api/auth/github/refresh');
    await page.reload();
    await see(heading(page, /User Entity: Amina Hassan/));
    await eventually(async () => calls(world, 'GET', '/api/auth/github/refresh') > before, true);
  });

  await check('a token that has expired is refreshed without a word', async () => {
    await page.clock.install();
    await page.goto('/');
    await see(heading(page, /Owned Components/));
    const before = calls(world, 'GET', '/api/auth/github/refresh');
    await page.clock.fastForward('02:00:00');
    await page.getByRole('link', { name: 'APIs' }).first().click();
    await see(heading(page, /APIs/));
    await eventually(async () => calls(world, 'GET', '/api/auth/github/refresh') > before, true);
    await page.clock.resume();
  });

  await check('signing out ends it in the browser too', async () => {
    const answered = page.waitForResponse(response => response.url().startsWith(`${world.base}/api/auth/github/logout`));
    await signOut(page);
    assert.equal((await answered).status(), 200);
    assert.deepEqual((await page.context().cookies(`${world.base}/api/auth/github/refresh`)).map(c => c.name), []);
  });

  await check('with GitLab', async () => {
    await popup(page, 'GitLab', window => button(window, 'Authorize as amina.hassan').click());
    await see(heading(page, /Owned Components/));
    await signOut(page);
  });

  await check('with OpenID Connect', async () => {
    await popup(page, 'OpenID Connect', async window => {
      await window.getByLabel('Username').fill('amina.hassan');
      await window.getByLabel('Password').fill('verysecure');
      await button(window, 'Login').click();
    });
    await see(heading(page, /Owned Components/));
    await page.reload();
    await see(heading(page, /Owned Components/));
    await signOut(page);
  });
}

async function byRedirect(world, check) {
  const { page } = world;

  await check('the whole page goes to the provider, and comes back with a reason why not', async () => {
    await page.goto('/');
    await button(offer(page, 'GitLab'), 'Sign In').click();
    await button(page, 'Authorize as mallory').click();
    await see(text(page, /unable to resolve user identity/));
    assert.equal(new URL(page.url()).origin, world.base);
  });

  await check('or signed in', async () => {
    await page.goto('/');
    await button(offer(page, 'GitLab'), 'Sign In').click();
    await button(page, 'Authorize as amina.hassan').click();
    await see(heading(page, /Owned Components/));
    assert.equal(new URL(page.url()).pathname, '/');
  });
}

async function byHeaders(world, check) {
  const { page } = world;

  await check('behind oauth2-proxy people are signed in before they come', async () => {
    await page.setExtraHTTPHeaders({ 'X-Forwarded-User': 'amina.hassan', 'X-Forwarded-Email': 'amina@fernweh.example' });
    await page.goto('/');
    await see(heading(page, /Owned Components/));
    await page.goto('/settings');
    await see(heading(page, /User Entity: Amina Hassan/));
  });
}
