// What the walk looks for on a page, in the words of somebody who looks at it.
import assert from 'node:assert/strict';

// see waits until something can be seen.
export const see = locator => locator.first().waitFor({ state: 'visible' });

// gone waits until something cannot be seen any more.
export const gone = locator => locator.first().waitFor({ state: 'hidden' });

export const text = (page, what) => page.getByText(what);
export const heading = (page, name) => page.getByRole('heading', { name });
export const button = (page, name) => page.getByRole('button', { name, exact: true });
export const tab = (page, name) => page.getByRole('tab', { name, exact: true });

// card is the part of an entity's page under a title.
export const card = (page, title) => page.getByRole('article').filter({ has: page.getByRole('heading', { name: title, exact: true }) });

// rows are those of the catalog's tables that hold an entity, by the texts of
// their first column.
export async function names(page) {
  const cells = page.locator('table tbody tr td:first-child');
  return (await cells.allInnerTexts()).map(cell => cell.trim());
}

// eventually asks again until an answer is the expected one.
export async function eventually(ask, expected) {
  let answer;
  for (let deadline = performance.now() + 15_000; performance.now() < deadline; ) {
    answer = await ask();
    try {
      assert.deepEqual(answer, expected);
      return;
    } catch {
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }
  assert.deepEqual(answer, expected);
}
