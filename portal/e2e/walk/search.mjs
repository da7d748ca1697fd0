import assert from 'node:assert/strict';
import { eventually, gone, heading, see } from '../lib/see.mjs';

export async function search(world, check) {
  const { page } = world;
  const box = page.getByRole('textbox', { name: 'Search' });
  // found is the names of what was found, in its order.
  const found = async () => {
    const links = page.getByRole('article').getByRole('listitem').getByRole('link');
    return (await links.allInnerTexts()).map(t => t.trim());
  };
  const count = (type, results) => page.getByRole('button', { name: `${type} ${results} results` });

  await check('an address with a term opens with what it finds, and counts', async () => {
    await page.goto('/search?query=bike');
    await see(count('All', 9));
    await see(count('Software Catalog', 9));
    await see(count('Documentation', 0));
    await eventually(async () => (await found()).length, 9);
    assert.equal((await found())[0], 'Fernweh Bikes');
    assert.ok((await page.locator('mark').allInnerTexts()).every(t => /bikes?/i.test(t)));
  });

  await check('a term is typed, with a slip in it', async () => {
    await page.goto('/search');
    await box.fill('pricng');
    await eventually(async () => (await found())[0], 'Pricing');
    await see(page.locator('mark').filter({ hasText: 'Pricing' }));
  });

  await check('the beginning of a word is enough', async () => {
    await box.fill('bookin');
    await eventually(async () => (await found()).includes('Booking'), true);
  });

  await check('filtered by type, kind and lifecycle', async () => {
    await page.goto('/search?query=bike');
    await see(count('All', 9));
    await page.getByRole('button', { name: /^Documentation/ }).click();
    await see(heading(page, 'Sorry, no results were found'));
    await page.getByRole('button', { name: /^Software Catalog/ }).click();
    await eventually(async () => (await found()).length, 9);
    await page.getByRole('article').getByRole('button', { name: 'All', exact: true }).click();
    await page.getByRole('option', { name: 'Component' }).click();
    await eventually(async () => (await found()).toSorted(), ['Booking', 'Fleet', 'Phone app']);
    await page.getByRole('checkbox', { name: 'production' }).check();
    await eventually(found, ['Booking']);
  });

  await check('nothing is found, and that is said', async () => {
    await page.goto('/search?query=zzzzqqq');
    await see(heading(page, 'Sorry, no results were found'));
    await see(count('All', 0));
  });

  await check('what is found leads to its page', async () => {
    await page.goto('/search?query=positions-stream');
    await page.getByRole('article').getByRole('link', { name: 'positions-stream' }).first().click();
    await page.waitForURL('**/catalog/default/resource/positions-stream');
    await see(page.getByRole('heading', { name: 'positions-stream', level: 2 }));
  });

  await check('the search that opens from any page', async () => {
    await page.getByRole('navigation', { name: 'sidebar nav' }).getByRole('button', { name: 'Search' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Search' }).fill('fleet');
    await see(dialog.getByRole('link', { name: 'Fleet' }));
    await dialog.getByRole('button', { name: 'View Full Results' }).click();
    await page.waitForURL('**/search?query=fleet**');
    await gone(dialog);
    await eventually(async () => (await found())[0], 'Fleet');
  });
}
