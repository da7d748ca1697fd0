import assert from 'node:assert/strict';
import { eventually, heading, see, text } from '../lib/see.mjs';

// documents reads the documentation of Booking, which is in testdata.
export async function documents(world, check) {
  const { page } = world;
  const article = page.locator('article.md-typeset');
  const navigation = page.getByRole('navigation', { name: 'Navigation' });

  await check('the list of all documentation', async () => {
    await page.goto('/docs');
    await see(heading(page, 'Owned (1)'));
    await see(page.getByRole('cell').getByRole('link', { name: 'Booking' }));
  });

  await check('a site is built when it is first looked at', async () => {
    await page.goto('/docs/default/component/booking');
    await see(article.getByRole('heading', { name: 'Booking', level: 1 }));
    await see(article.getByText('Booking reserves a bike for a customer'));
    await see(page.getByRole('link', { name: 'What it promises' }));
    assert.equal(await article.locator('input[type=checkbox]:checked').count(), 2);
    await eventually(() => article.locator('img').first().evaluate(img => img.complete && img.naturalWidth > 0), true);
    await eventually(() => article.evaluate(a => Number(getComputedStyle(a).opacity)), 1);
  });

  await check('read on by links, tabs and what folds', async () => {
    await article.getByRole('link', { name: 'Book a bike' }).click();
    await page.waitForURL('**/docs/default/component/booking/how-to/book/');
    await see(article.getByRole('heading', { name: 'Book a bike', level: 1 }));
    await see(article.getByText('curl -X POST'));
    await article.getByText('Go', { exact: true }).click();
    await see(article.getByText('booking.NewClient'));
    assert.equal(await article.getByText('curl -X POST').isVisible(), false);
    await article.getByText('What if somebody was quicker?').click();
    await see(article.getByText('Ask the customer'));
  });

  await check('by the navigation', async () => {
    await navigation.getByRole('link', { name: 'Change the prices' }).click();
    await see(article.getByText('Prices belong to the Pricing service'));
    await navigation.getByRole('link', { name: 'Running it' }).click();
    await see(article.getByText('holdMinutes'));
    await page.getByRole('link', { name: /^Previous/ }).click();
    await see(article.getByText('Prices belong to the Pricing service'));
  });

  await check('searched from its own page', async () => {
    await page.goto('/docs/default/component/booking/');
    await page.getByRole('searchbox', { name: 'Search docs' }).fill('seasons');
    await page.getByRole('option').filter({ hasText: 'Seasons' }).first().click();
    await page.waitForURL('**/how-to/prices/**');
    await see(article.getByRole('heading', { name: 'Seasons' }));
  });

  await check('found by the search of the portal', async () => {
    await page.goto('/search?query=reservations&types[]=techdocs');
    await see(page.getByRole('article').getByRole('listitem').getByRole('link').filter({ hasText: /Booking/ }));
  });

  await check('as a tab of the component', async () => {
    await page.goto('/catalog/default/component/booking');
    await page.getByRole('navigation', { name: 'Content navigation' }).getByRole('link', { name: 'TechDocs' }).click();
    await see(article.getByRole('heading', { name: 'Booking', level: 1 }));
  });

  await check('a page that is not there', async () => {
    await page.goto('/docs/default/component/booking/nothing');
    await see(text(page, /Page not found/));
  });
}
