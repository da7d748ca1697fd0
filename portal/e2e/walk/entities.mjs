import assert from 'node:assert/strict';
import { ask } from '../lib/platform.mjs';
import { button, card, gone, heading, see, tab, text } from '../lib/see.mjs';

// pages are those of each kind: where, the title, and what their overview shows.
const pages = [
  ['component/booking', 'Booking', ['About', 'Links', 'Provided APIs', 'Consumed APIs', 'Depends on components', 'Depends on resources', 'Relations']],
  ['api/pricing-api', 'pricing-api', ['About', 'Providers', 'Consumers']],
  ['system/rentals', 'rentals', ['About', 'Has components', 'Has resources', 'Relations']],
  ['domain/mobility', 'mobility', ['About', 'Has systems', 'Relations']],
  ['resource/bookings-db', 'bookings-db', ['About', 'Relations']],
  ['group/engineering', 'engineering', ['Relations', 'Ownership']],
  ['user/amina.hassan', 'Amina Hassan', ['Relations', 'Ownership']],
  ['template/go-service', 'Go service', ['About', 'Relations']],
];

export async function entityPages(world, check) {
  const { page } = world;
  const open = async path => page.goto(`/catalog/default/${path}`);
  const menu = async entry => {
    await button(page, 'More actions').click();
    await page.getByRole('menuitem', { name: entry }).click();
  };

  for (const [path, title, cards] of pages) {
    await check(`the page of ${path}`, async () => {
      await open(path);
      await see(page.getByRole('heading', { name: title, level: 2, exact: true }));
      for (const shown of cards) {
        await see(heading(page, shown));
      }
    });
  }

  await check('a location, by way of what it holds', async () => {
    const { items } = await ask(world, '/api/catalog/entities/by-query?filter=kind=location&limit=1');
    await page.goto(`/catalog/default/location/${items[0].metadata.name}`);
    await see(page.getByRole('heading', { name: items[0].metadata.name, level: 2 }));
    await see(heading(page, 'About'));
  });

  await check('the tables of a component lead to its neighbours', async () => {
    await open('component/booking');
    await see(card(page, 'Consumed APIs').getByRole('link', { name: 'pricing-api' }));
    await see(card(page, 'Depends on resources').getByRole('link', { name: 'bookings-db' }));
    await card(page, 'Depends on components').getByRole('link', { name: 'Fleet' }).click();
    await page.waitForURL('**/catalog/default/component/fleet');
    await see(page.getByRole('heading', { name: 'Fleet', level: 2 }));
  });

  await check('the tab with the APIs of a component', async () => {
    await open('component/booking');
    await page.getByRole('navigation', { name: 'Content navigation' }).getByRole('link', { name: 'APIs' }).click();
    await see(page.getByRole('link', { name: 'booking-api' }));
    await see(page.getByRole('link', { name: 'pricing-api' }));
  });

  await check('the documentation of a component that has none', async () => {
    await open('component/pricing/docs');
    await see(text(page, /TechDocs/));
  });

  await check('the definition of an API, drawn and raw', async () => {
    await open('api/pricing-api/definition');
    await see(heading(page, /Pricing/));
    await see(page.getByText('Say what a rental would cost'));
    await tab(page, 'Raw').click();
    await see(text(page, /openapi: 3.1.0/));
  });

  await check('members and ownership of a group', async () => {
    await open('group/rentals');
    await see(heading(page, 'rentals members (3 of 3)'));
    await see(page.getByRole('link', { name: 'User page for Jonas Weber' }));
    await see(page.getByRole('link', { name: /3\s*SERVICES/i }));
  });

  await check('the owned of a group, its children with it', async () => {
    await open('group/engineering');
    await see(heading(page, 'Ownership'));
    await page.getByText('Include indirect ownership').click();
    await see(page.getByRole('link', { name: /SERVICES/i }));
  });

  await check('an entity that does not exist', async () => {
    await open('component/nobody-has-it');
    await see(text(page, 'Entity not found'));
  });

  await check('refresh says that it is under way', async () => {
    await open('component/booking');
    const refreshed = page.waitForResponse(r => r.url().endsWith('/api/catalog/refresh'));
    await card(page, 'About').getByRole('button', { name: 'Refresh' }).click();
    assert.equal((await refreshed).status(), 200);
    await see(text(page, 'Refresh scheduled'));
  });

  await check('inspect, in all its views', async () => {
    await open('component/booking');
    await menu('Inspect entity');
    const dialog = page.getByRole('dialog');
    await see(dialog.getByText('component:default/booking'));
    await dialog.getByRole('tab', { name: 'Ancestry' }).click();
    await see(dialog.getByText('Booking'));
    await dialog.getByRole('tab', { name: 'Colocated' }).click();
    await see(dialog.getByRole('link', { name: 'Fleet' }));
    await dialog.getByRole('tab', { name: 'Raw JSON' }).click();
    await see(dialog.getByText('"apiVersion"'));
    await dialog.getByRole('tab', { name: 'Raw YAML' }).click();
    await see(dialog.getByText('apiVersion'));
    await dialog.getByRole('button', { name: 'Close' }).click();
    await gone(dialog);
  });

  await check('a star on the page of an entity', async () => {
    await open('component/booking');
    await button(page, 'Add to favorites').click();
    await page.mouse.move(0, 0);
    await see(button(page, 'Remove from favorites'));
    await page.reload();
    await button(page, 'Remove from favorites').click();
    await page.mouse.move(0, 0);
    await see(button(page, 'Add to favorites'));
  });

  await check('the graph of an entity, and the larger one', async () => {
    await open('component/booking');
    await see(card(page, 'Relations').getByText('bookings-db'));
    await page.getByRole('link', { name: 'View graph' }).click();
    await page.waitForURL('**/catalog-graph?**');
    await see(page.locator('svg').getByText('pricing-api'));
  });

  await check('the graph page, to another entity and on to its page', async () => {
    await page.goto('/catalog-graph?rootEntityRefs[]=system:default/rentals&maxDepth=1');
    const node = name => page.getByTestId('node').filter({ hasText: name }).first();
    await see(node('Pricing'));
    await node('Pricing').click();
    await see(node('pricing-api'));
    await node('pricing-api').click({ modifiers: ['Shift'] });
    await page.waitForURL('**/catalog/default/api/pricing-api');
  });

  await check('the list of APIs', async () => {
    await page.goto('/api-docs');
    await see(heading(page, 'All APIS (2)'));
    await page.getByRole('link', { name: 'booking-api' }).click();
    await page.waitForURL('**/catalog/default/api/booking-api**');
    await see(page.getByRole('heading', { name: 'booking-api', level: 2 }));
  });
}
