import assert from 'node:assert/strict';
import { serviceToken } from '../lib/platform.mjs';
import { button, eventually, gone, heading, see, tab, text } from '../lib/see.mjs';

export async function aroundTheUser(world, check) {
  const { page } = world;

  await check('settings say who is signed in and what is theirs', async () => {
    await page.goto('/settings');
    await see(text(page, 'user:default/guest'));
    await see(heading(page, /User Entity: Guest/));
    await see(heading(page, /Ownership Entities: Guest , rentals/));
  });

  await check('the theme that is chosen is kept', async () => {
    await button(page, 'Dark').click();
    await page.reload();
    await see(page.getByRole('button', { name: 'Dark', pressed: true }));
    await button(page, 'Light').click();
    await see(page.getByRole('button', { name: 'Light', pressed: true }));
  });

  await check('sign-in providers and feature flags', async () => {
    await tab(page, 'Authentication Providers').click();
    await page.waitForURL('**/settings/auth-providers');
    await see(text(page, 'Available Providers'));
    await tab(page, 'Feature Flags').click();
    await see(heading(page, /Feature Flags/));
  });

  await check('a notification comes in while somebody looks', async () => {
    world.record.listening = false;
    await page.goto('/notifications');
    await see(heading(page, 'Unread notifications (0)'));
    await eventually(() => world.record.listening, true); // a signal reaches who has asked for it
    await notify(world, { title: 'The bridge is closed', description: 'Until noon', severity: 'high', topic: 'roads' });
    await see(text(page, 'The bridge is closed'));
    await see(heading(page, 'Unread notifications (1)'));
  });

  await check('a template sends one too', async () => {
    await page.goto('/create/templates/default/announcement');
    await page.getByRole('textbox', { name: 'Subject' }).fill('The bridge is open');
    await button(page, 'Review').click();
    await button(page, 'Create').click();
    await see(page.getByRole('region', { name: /notification/ }).getByText('The bridge is open').or(text(page, /Notification received|The bridge is open/)));
    await page.goto('/notifications');
    await see(heading(page, 'Unread notifications (2)'));
    await see(text(page, 'The bridge is open'));
  });

  await check('the search in notifications', async () => {
    await page.getByPlaceholder('Filter').fill('closed');
    await gone(text(page, 'The bridge is open'));
    await see(text(page, 'The bridge is closed'));
    await page.getByPlaceholder('Filter').fill('');
    await see(text(page, 'The bridge is open'));
  });

  await check('marked as read, it leaves the list and is found among the read ones', async () => {
    const row = page.getByRole('row').filter({ hasText: 'The bridge is closed' });
    await row.getByRole('button', { name: /read/i }).first().click();
    await see(heading(page, 'Unread notifications (1)'));
    await page.getByRole('button', { name: /View/ }).click();
    await page.getByRole('option', { name: 'Read notifications', exact: true }).click();
    await see(text(page, 'The bridge is closed'));
  });

  await check('saved for later, it is found among the saved ones', async () => {
    await page.goto('/notifications');
    const row = page.getByRole('row').filter({ hasText: 'The bridge is open' });
    await row.getByRole('button', { name: /save/i }).first().click();
    await page.getByRole('button', { name: /View/ }).click();
    await page.getByRole('option', { name: 'Saved', exact: true }).click();
    await see(heading(page, 'Saved notifications (1)'));
    await see(text(page, 'The bridge is open'));
  });

  await check('all marked as read at once', async () => {
    await page.goto('/notifications');
    await see(heading(page, 'Unread notifications (1)'));
    await button(page, 'Mark all read').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Mark All' }).click();
    await see(heading(page, 'Unread notifications (0)'));
  });

  await check('the home page', async () => {
    await page.goto('/home');
    await see(page.getByPlaceholder('Search in Fernweh Bikes'));
    await see(text(page, 'Your Starred Entities'));
  });

  await check('the visualizer', async () => {
    await page.goto('/visualizer');
    await see(text(page, 'page:catalog'));
  });

  await check('a page that does not exist', async () => {
    await page.goto('/no/such/page');
    await see(text(page, /PAGE NOT FOUND/i));
  });

  await check('sign out leads back to the sign-in page', async () => {
    await page.goto('/settings');
    await button(page, 'more').click();
    await page.getByRole('menuitem', { name: 'Sign Out' }).click();
    await see(button(page, 'Enter'));
  });
}

// notify sends a notification to everybody, as another service would.
async function notify(world, payload) {
  const answer = await fetch(`${world.base}/api/notifications`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${serviceToken}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ recipients: { type: 'broadcast' }, payload }),
  });
  assert.equal(answer.status, 200, await answer.text());
}
