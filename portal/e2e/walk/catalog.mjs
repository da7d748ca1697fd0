import assert from 'node:assert/strict';
import { ask } from '../lib/platform.mjs';
import { eventually, heading, names, see, text } from '../lib/see.mjs';

export async function catalogTable(world, check) {
  const { page } = world;
  const scope = name => page.getByRole('menuitem', { name: new RegExp(`^${name}`) });
  // pick chooses an option of one of the filters with a list.
  const pick = async (filter, option) => {
    await page.waitForLoadState('networkidle'); // the page forgets what is picked before its lists have come
    await page.getByRole('textbox', { name: filter }).click();
    await page.getByRole('option', { name: option }).click();
    await page.keyboard.press('Escape');
  };
  const kind = async (from, to) => {
    await page.getByRole('button', { name: from, exact: true }).click();
    await page.getByRole('option', { name: to, exact: true }).click();
  };

  await check('all components, in the order of their names', async () => {
    await page.goto('/');
    await see(heading(page, 'Owned Components (3)'));
    await scope('All').click();
    await see(heading(page, 'All Components (7)'));
    await eventually(() => names(page), ['Phone app', 'Booking', 'deploy', 'design-system', 'Fleet', 'Pricing', 'Web shop']);
  });

  await check('sorted by owner, down and up again', async () => {
    const owners = async () => (await page.locator('table tbody tr td:nth-child(3)').allInnerTexts()).map(t => t.trim());
    const header = page.getByRole('columnheader', { name: 'Owner' }).getByRole('button').first();
    await header.click();
    await eventually(async () => (await owners())[0], 'platform');
    await header.click();
    await eventually(async () => (await owners())[0], 'storefront');
  });

  await check('a search in the table, and no more search', async () => {
    await page.getByPlaceholder('Search').fill('pric');
    await see(heading(page, 'All Components (1)'));
    await page.getByRole('button', { name: 'clear search' }).click();
    await see(heading(page, 'All Components (7)'));
  });

  await check('by type', async () => {
    await kind('all', 'website');
    await see(heading(page, 'All website Components (2)'));
    await eventually(async () => (await names(page)).sort(), ['Phone app', 'Web shop']);
    await kind('website', 'all');
    await see(heading(page, 'All Components (7)'));
  });

  for (const [filter, option, left] of [
    ['Owner', 'storefront', 3], ['Lifecycle', 'experimental', 2], ['Tags', 'grpc', 1],
  ]) {
    await check(`by ${filter.toLowerCase()}`, async () => {
      await page.goto('/?filters[kind]=component&filters[user]=all');
      await see(heading(page, 'All Components (7)'));
      await pick(filter, option);
      await see(heading(page, `All Components (${left})`));
    });
  }

  await check('by namespace and processing status', async () => {
    await page.goto('/?filters[kind]=component&filters[user]=all');
    await see(heading(page, 'All Components (7)'));
    await pick('Namespace', 'default');
    await see(heading(page, 'All Components (7)'));
    await pick('Processing Status', 'Has Error');
    await see(text(page, 'No records to display'));
  });

  await check('an address with filters opens with them', async () => {
    await page.goto('/?filters[kind]=component&filters[user]=all&filters[lifecycles]=experimental&filters[owners]=group:default/rentals');
    await see(heading(page, 'All Components (1)'));
    await eventually(() => names(page), ['Fleet']);
  });

  await check('two pages of resources, forth and back', async () => {
    await page.goto('/?filters[kind]=component&filters[user]=all');
    await see(heading(page, 'All Components (7)'));
    await kind('Component', 'Resource');
    await see(heading(page, 'All Resources (26)'));
    await eventually(async () => (await names(page)).length, 20);
    const first = await names(page);
    await page.getByRole('button', { name: 'Next page' }).click();
    await eventually(async () => (await names(page)).length, 6);
    const second = await names(page);
    assert.equal(new Set([...first, ...second]).size, 26);
    await page.getByRole('button', { name: 'Previous page' }).click();
    await eventually(() => names(page), first);
  });

  for (const kind of ['API', 'Domain', 'Group', 'System', 'Template', 'User']) {
    await check(`the table of kind ${kind}`, async () => {
      const { totalItems } = await ask(world, `/api/catalog/entities/by-query?filter=kind=${kind}&limit=0`);
      assert.ok(totalItems > 0);
      await page.goto(`/?filters[kind]=${kind.toLowerCase()}&filters[user]=all`);
      await see(heading(page, `All ${kind}s (${totalItems})`));
      await eventually(async () => (await names(page)).length, totalItems);
    });
  }

  await check('a star that is kept, and taken away', async () => {
    await page.goto('/?filters[kind]=component&filters[user]=all');
    await see(heading(page, 'All Components (7)'));
    const row = page.getByRole('row', { name: /^Pricing/ });
    await row.getByRole('button', { name: 'Add to favorites' }).click();
    await page.mouse.move(0, 0); // under the mouse the name of the button is that of a tooltip
    await see(row.getByRole('button', { name: 'Remove from favorites' }));
    await see(page.getByRole('menuitem', { name: 'Starred 1' }));
    await page.reload();
    await see(heading(page, 'All Components (7)'));
    await scope('Starred').click();
    await see(heading(page, 'Starred Components (1)'));
    await eventually(() => names(page), ['Pricing']);
    await row.getByRole('button', { name: 'Remove from favorites' }).click();
    await page.mouse.move(0, 0);
    await see(page.getByRole('menuitem', { name: 'Starred 0' }));
    await see(heading(page, 'All Components (7)')); // with no star left, all are shown
    await see(row.getByRole('button', { name: 'Add to favorites' }));
  });
}
