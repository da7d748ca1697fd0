import assert from 'node:assert/strict';
import { button, eventually, heading, names, see, text } from '../lib/see.mjs';

// signIn takes the time from the start of the program to the table of somebody
// who is signed in, so it comes first.
export async function signIn(world, check) {
  const { page, base } = world;

  await check('the sign-in page comes without a call to the API', async () => {
    await page.goto('/');
    await see(text(page, 'Enter as a Guest User'));
    assert.match(await page.title(), /Fernweh Bikes/);
    assert.equal(world.record.calls.length, 0);
  });

  await check('a guest enters and sees what is theirs', async () => {
    await button(page, 'Enter').click();
    await see(heading(page, 'Owned Components (3)'));
    await eventually(() => names(page), ['Booking', 'Fleet', 'Pricing']);
    const { started, ready } = world.platform;
    world.times = {
      'from platform serve to ready': ready - started,
      'from platform serve to the catalog of somebody signed in': performance.now() - started,
    };
  });

  await check('the page carries the configuration that browsers may see, and no more', async () => {
    const config = JSON.parse(await page.locator('script[type="backstage.io/config"]').textContent());
    assert.equal(config[0].data.backend.baseUrl, base);
    assert.equal(config[0].data.app.title, 'Fernweh Bikes');
    assert.deepEqual(Object.keys(config[0].data.backend), ['baseUrl']);
  });

  await check('a reload finds the guest signed in, from the cache of the browser', async () => {
    await page.reload();
    await see(heading(page, 'Owned Components (3)'));
    const sizes = await page.evaluate(() => performance.getEntriesByType('resource')
      .filter(entry => new URL(entry.name).pathname.startsWith('/static/')).map(entry => entry.transferSize));
    assert.ok(sizes.length > 20, `${sizes.length} static files`);
    assert.deepEqual(sizes.filter(size => size > 0), []);
  });

  await check('browsers keep static files, ask again for the page, and get no page for a file that is not there', async () => {
    const answer = await fetch(`${base}/static/nothing.js`);
    assert.equal(answer.status, 404);
    assert.equal(await answer.text(), '');
    const script = await page.locator('script[src*="/static/"]').first().getAttribute('src');
    const kept = await fetch(base + script);
    assert.equal(kept.headers.get('cache-control'), 'public, max-age=1209600');
    assert.equal((await fetch(`${base}/any/page`)).headers.get('cache-control'), 'no-store, max-age=0');
  });
}
