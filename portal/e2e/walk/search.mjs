import assert from 'node:assert/strict';
import { button, eventually, gone, heading, see, text } from '../lib/see.mjs';

export async function search(world, check) {
  const { page } = world;
  const box = page.getByRole('textbox', { name: 'Search' });

  await check('the page of the search, with a term in its address', async () => {
    await page.goto('/search?query=booking');
    await see(page.getByRole('link', { name: /Booking/ }));
    await see(text(page, 'Reserves a bike for a customer.'));
  });
}
