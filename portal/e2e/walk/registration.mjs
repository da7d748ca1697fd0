import assert from 'node:assert/strict';
import { button, gone, heading, see, text } from '../lib/see.mjs';

export async function registration(world, check) {
  const { page } = world;
  const workshop = `${world.descriptors.base}/workshop.yaml`;
  const analyze = async url => {
    await page.goto('/catalog-import');
    await page.getByRole('textbox', { name: 'URL' }).fill(url);
    await button(page, 'Analyze').click();
  };

  await check('a text that is no URL', async () => {
    await page.goto('/catalog-import');
    await page.getByRole('textbox', { name: 'URL' }).fill('not a url');
    await button(page, 'Analyze').click();
    await see(text(page, /Must start with http/i));
  });

  await check('a descriptor that is not there', async () => {
    await analyze(`${world.descriptors.base}/nothing.yaml`);
    await see(text(page, /404|NotFound|not found|could not be read|unable to read/i));
  });

  await check('a descriptor that breaks the rules', async () => {
    await analyze(`${world.descriptors.base}/broken.yaml`);
    await see(text(page, /metadata.name/));
  });

  await check('analyse, review, import', async () => {
    await analyze(workshop);
    await see(text(page, 'workshop'));
    await button(page, 'Import').click();
    await see(text(page, 'The following entities have been added to the catalog:'));
    await see(button(page, 'workshop'));
  });

  await check('what was imported has a page', async () => {
    await button(page, 'View Component').click();
    await page.waitForURL('**/catalog/default/component/workshop');
    await see(page.getByRole('heading', { name: 'Workshop', level: 2 }));
    await see(text(page, 'Plans the repairs of bikes.'));
  });

  await check('the same descriptor again is known already', async () => {
    await analyze(workshop);
    await see(text(page, /already exist/));
    await button(page, 'Refresh').click();
    await see(text(page, 'A refresh was triggered for the following locations:'));
  });

  await check('unregister takes it out again', async () => {
    await page.goto('/catalog/default/component/workshop');
    await button(page, 'More actions').click();
    await page.getByRole('menuitem', { name: 'Unregister entity' }).click();
    const dialog = page.getByRole('dialog');
    await see(dialog.getByText(workshop));
    await dialog.getByRole('button', { name: 'Unregister Location' }).click();
    await gone(dialog);
    await page.goto('/?filters[kind]=component&filters[user]=all');
    await see(heading(page, 'All Components (7)'));
    assert.equal(await page.getByRole('link', { name: 'Workshop' }).count(), 0);
  });
}
