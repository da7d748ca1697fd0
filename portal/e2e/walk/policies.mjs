import assert from 'node:assert/strict';
import * as platforms from '../lib/platform.mjs';
import { button, eventually, heading, names, see, text } from '../lib/see.mjs';

// policy takes some things away from everybody.
const policy = {
  default: 'allow',
  rules: [
    { name: 'experiments are hidden', deny: 'catalog.entity.read', spec: { lifecycle: 'experimental' } },
    { name: 'nobody registers', deny: ['catalog.entity.create', 'catalog.location.create'] },
    { name: 'nobody unregisters', deny: 'catalog.entity.delete' },
    { name: 'some questions are for others', deny: ['scaffolder.template.parameter.read', 'scaffolder.template.step.read'], tag: 'operators' },
    { name: 'no task renames files', deny: 'scaffolder.action.execute', actionId: 'fs:rename' },
    { name: 'what runs is not stopped', deny: 'scaffolder.task.cancel' },
  ],
};

// policies walks through a second portal, in which a policy says no.
export async function policies(world, check) {
  const { page } = world;
  const { base, port } = world.guarded;
  const platform = await platforms.start({ port, descriptors: world.descriptors.base, policy });
  const open = path => page.goto(base + path);
  const start = async template => {
    await open(`/create/templates/default/${template}`);
    await button(page, 'Review').click();
    await button(page, 'Create').click();
    await page.waitForURL(/\/create\/tasks\/[0-9a-f-]{36}$/);
  };
  try {
    await check('what a policy hides is in no table', async () => {
      await open('/');
      await button(page, 'Enter').click();
      await see(heading(page, 'Owned Components (2)'));
      await page.getByRole('menuitem', { name: /^All/ }).click();
      await see(heading(page, 'All Components (5)'));
      await eventually(async () => (await names(page)).filter(name => name === 'Fleet'), []);
    });

    await check('nor has it a page, nor does the search find it', async () => {
      await open('/catalog/default/component/fleet');
      await see(text(page, 'Entity not found'));
      await open('/search?query=fleet&types[]=software-catalog');
      await see(page.getByRole('textbox', { name: /search/i }));
      await see(page.locator('mark').or(text(page, 'Sorry, no results were found')));
      assert.equal(await page.locator('a[href="/catalog/default/component/fleet"]').count(), 0);
    });

    await check('who may not register sees no way to', async () => {
      await open('/catalog-import');
      await see(text(page, /PAGE NOT FOUND/i));
      await open('/create');
      await see(heading(page, 'Go service'));
      assert.equal(await button(page, 'Register Existing Component').count(), 0);
    });

    await check('who may not unregister cannot', async () => {
      await open('/catalog/default/component/booking');
      await button(page, 'More actions').click();
      const entry = page.getByRole('menuitem', { name: 'Unregister entity' });
      await see(entry);
      assert.equal(await entry.getAttribute('aria-disabled'), 'true');
      await page.keyboard.press('Escape');
    });

    await check('a form asks only what somebody may say', async () => {
      await open('/create/templates/default/guarded');
      await see(page.getByRole('textbox', { name: 'Remark' }));
      assert.equal(await page.getByRole('textbox', { name: 'Region' }).count(), 0);
    });

    await check('an action that is not allowed ends the task, and the page says so', async () => {
      await start('failing');
      await see(text(page, /before the failure/));
      await see(text(page, /fs:rename/));
      await see(text(page, /not allowed/i));
    });

    await check('a task that somebody may not cancel has no way to', async () => {
      await open('/create/templates/default/patient');
      await page.getByRole('spinbutton', { name: 'Seconds' }).fill('3');
      await button(page, 'Review').click();
      await button(page, 'Create').click();
      await see(page.locator('button:disabled').filter({ hasText: 'Cancel' }));
    });
  } finally {
    await page.goto(world.base);
    await platform.stop();
    await platform.forget();
  }
}
