// Takes the pictures in docs/ of the portal with the sample catalog.
import { fileURLToPath } from 'node:url';
import * as platforms from './lib/platform.mjs';
import * as browsers from './lib/browser.mjs';
import { serveDescriptors } from './lib/descriptors.mjs';
import { button, card, eventually, heading, names, see, text } from './lib/see.mjs';

const port = Number(process.env.E2E_PORT || 7507);
const descriptors = await serveDescriptors();
const platform = await platforms.start({ port, descriptors: descriptors.base });
const { page, close } = await browsers.open(platform.base);
const picture = async name => {
  await page.waitForLoadState('networkidle');
  await page.screenshot({
    path: fileURLToPath(new URL(`../../docs/${name}.png`, import.meta.url)), animations: 'disabled', caret: 'hide',
  });
};

await page.goto('/');
await button(page, 'Enter').click();
await see(heading(page, 'Owned Components (3)'));
await page.getByRole('menuitem', { name: /^All/ }).click();
await eventually(async () => (await names(page)).length, 7);
await picture('catalog');

await page.goto('/catalog/default/component/booking');
await see(card(page, 'Relations').getByText('bookings-db'));
await picture('entity');

await page.goto('/create/templates/default/go-service');
await page.getByRole('textbox', { name: 'Name' }).fill('locks');
await page.getByRole('textbox', { name: 'Owner' }).click();
await page.getByRole('option', { name: 'rentals' }).click();
await button(page, 'Review').click();
await button(page, 'Create').click();
await see(text(page, 'Finished step Copy the skeleton'));
await see(heading(page, 'Done'));
await picture('task');

await page.goto('/docs/default/component/booking/how-to/book/');
await see(page.locator('article.md-typeset').getByText('curl -X POST'));
await picture('techdocs');

await page.goto('/search?query=bike');
await see(page.locator('mark'));
await picture('search');

await close();
await platform.stop();
await descriptors.close();
await platform.forget();
