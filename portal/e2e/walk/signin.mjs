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
    const fromNetwork = [];
    const listen = response => {
      if (new URL(response.url()).pathname.startsWith('/static/')) {
        fromNetwork.push(response);
      }
    };
    page.on('response', listen);
    await page.reload();
    await see(heading(page, 'Owned Components (3)'));
    page.off('response', listen);
    assert.ok(fromNetwork.length > 0);
    for (const response of fromNetwork) {
      assert.equal(response.headers()['cache-control'], 'public, max-age=1209600');
      assert.equal(response.status(), 200);
    }
  });

  await check('a static file that is not there is not answered by the page', async () => {
    const answer = await fetch(`${base}/static/nothing.js`);
    assert.equal(answer.status, 404);
    assert.equal(await answer.text(), '');
  });
}
