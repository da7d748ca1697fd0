import assert from 'node:assert/strict';
import { ask, register } from '../lib/platform.mjs';
import { button, eventually, gone, heading, see, tab, text } from '../lib/see.mjs';

export async function templates(world, check) {
  const { page } = world;
  // task starts a template with its form filled in by `fill`.
  const task = async (template, fill = async () => {}) => {
    await page.goto(`/create/templates/default/${template}`);
    await see(button(page, 'Review'));
    await fill();
    await button(page, 'Review').click();
    await button(page, 'Create').click();
    await page.waitForURL(/\/create\/tasks\/[0-9a-f-]{36}$/);
  };
  const more = async entry => {
    await button(page, 'More options').click();
    await page.getByRole('menuitem', { name: entry }).click();
  };

  await check('the list of templates, searched and filtered', async () => {
    await page.goto('/create');
    await see(button(page, 'Register Existing Component'));
    await see(heading(page, 'Go service'));
    await see(heading(page, 'Waits until it is cancelled'));
    await page.getByRole('textbox', { name: 'Search' }).fill('service');
    await gone(heading(page, 'Waits until it is cancelled'));
    await see(heading(page, 'Go service'));
    await page.getByRole('button', { name: 'clear search' }).click();
    await see(heading(page, 'Waits until it is cancelled'));
    await page.getByRole('textbox', { name: 'Categories' }).click();
    await page.getByRole('option', { name: /walk/i }).click();
    await page.keyboard.press('Escape');
    await gone(heading(page, 'Go service'));
    await see(heading(page, 'Announcement'));
  });

  await check('choose leads to the form', async () => {
    await page.goto('/create');
    await page.getByRole('textbox', { name: 'Tags' }).click();
    await page.getByRole('option', { name: 'recommended' }).click();
    await page.keyboard.press('Escape');
    await gone(heading(page, 'Announcement'));
    await button(page, 'Choose').click();
    await page.waitForURL('**/create/templates/default/go-service');
    await see(page.getByRole('textbox', { name: 'Name' }));
  });

  await check('a form that is filled in badly says so', async () => {
    await page.goto('/create/templates/default/go-service');
    await page.getByRole('textbox', { name: 'Name' }).fill('Not A Name');
    await page.getByRole('textbox', { name: 'Owner' }).click();
    await page.getByRole('option', { name: 'rentals' }).click();
    await button(page, 'Review').click();
    await see(text(page, /must match pattern/));
    assert.equal(await button(page, 'Create').count(), 0);
  });

  await check('from the form to the finished task, with its log and what came out', async () => {
    await page.getByRole('textbox', { name: 'Name' }).fill('locks');
    await button(page, 'Review').click();
    await see(page.getByRole('row', { name: 'Name locks' }));
    await see(page.getByRole('row', { name: 'Owner group:default/rentals' }));
    await button(page, 'Create').click();
    await page.waitForURL(/\/create\/tasks\/[0-9a-f-]{36}$/);
    await see(text(page, 'Finished step Copy the skeleton'));
    await see(text(page, 'The service locks belongs to group:default/rentals.'));
    await see(page.getByRole('button', { name: /Copy the skeleton/ }));
  });

  await check('a finished task looks the same after a reload', async () => {
    await page.reload();
    await see(text(page, 'Finished step Copy the skeleton'));
    await see(text(page, 'The service locks belongs to group:default/rentals.'));
  });

  await check('start over opens the form with what was said', async () => {
    await more('Start Over');
    await page.waitForURL('**/create/templates/default/go-service?**');
    await see(page.getByRole('textbox', { name: 'Name' }));
    assert.equal(await page.getByRole('textbox', { name: 'Name' }).inputValue(), 'locks');
  });

  await check('a task that fails says where and why', async () => {
    await task('failing');
    await see(text(page, /before the failure/));
    await see(text(page, /nowhere\.txt/));
    await see(heading(page, /Error/));
  });

  await check('a task that failed is tried again, and ends well', async () => {
    await task('late');
    await see(text(page, /latecomer/));
    await see(heading(page, /Error/));
    await register(world, `${world.descriptors.base}/latecomer.yaml`);
    await eventually(async () => (await ask(world, '/api/catalog/entities/by-query?filter=metadata.name=latecomer&limit=0')).totalItems, 1);
    await button(page, 'Retry').click();
    await see(text(page, 'Came after the task that needs it.'));
    await see(text(page, 'Finished step Find the component'));
  });

  await check('the log of a task comes in while it runs, until the task is cancelled', async () => {
    await task('patient');
    await button(page, 'Show Logs').click();
    await see(text(page, /waiting for 60 seconds/));
    await see(text(page, 'Beginning step Wait'));
    await button(page, 'Cancel').click();
    await see(text(page, /has been cancelled|Run cancelled|AbortError|cancelled/));
    await see(page.locator('button:enabled').filter({ hasText: 'Start Over' }));
  });

  await check('the list of tasks has them all', async () => {
    await page.goto('/create/tasks');
    for (const [template, status] of [['Go service', 'completed'], ['Fails in its second step', 'failed'], ['Waits until it is cancelled', 'cancelled']]) {
      await see(page.getByRole('row').filter({ hasText: template }).filter({ hasText: status }));
    }
    await page.getByRole('row').filter({ hasText: 'Go service' }).getByRole('link').first().click();
    await page.waitForURL(/\/create\/tasks\/[0-9a-f-]{36}$/);
    await see(text(page, 'Finished step Copy the skeleton'));
  });

  await check('the list of actions, and what one of them takes', async () => {
    await page.goto('/create/actions');
    await see(page.getByRole('row', { name: /^fetch:template Fetches/ }));
    await page.getByRole('searchbox', { name: 'Search for an action' }).fill('debug:wait');
    await gone(page.getByRole('row', { name: /^fetch:template/ }));
    await page.getByRole('row', { name: /^debug:wait/ }).click();
    await see(heading(page, 'Input'));
    await see(text(page, 'seconds'));
  });

  await check('the templating extensions', async () => {
    await page.goto('/create/templating-extensions');
    for (const filter of ['parseRepoUrl', 'parseEntityRef', 'pick', 'projectSlug']) {
      await see(heading(page, filter));
    }
    await tab(page, 'Functions').click();
    await tab(page, 'Values').click();
  });

  await check('the playground of the template editor shows the form of a template', async () => {
    await page.goto('/create/edit');
    await page.getByRole('button', { name: /Template Form Playground/ }).click();
    await page.waitForURL('**/create/edit/template-form');
    await button(page, 'Templates').click();
    await page.getByRole('menuitem', { name: 'Go service' }).click();
    await see(text(page, 'What it is'));
  });

  await check('the template editor runs a folder of this machine dry', async () => {
    await folder(page);
    await page.goto('/create/edit');
    await page.getByRole('button', { name: /Load Template Directory/ }).click();
    await page.waitForURL('**/create/edit/template');
    await page.getByRole('textbox', { name: 'Greeting' }).fill('Good morning');
    await button(page, 'Review').click();
    const ran = page.waitForResponse(r => r.url().endsWith('/api/scaffolder/v2/dry-run'));
    await button(page, 'Create').click();
    assert.equal((await ran).status(), 200);
    await see(text(page, 'Dry-run result'));
    await see(text(page, 'greeting.txt'));
    await tab(page, 'Log').click();
    await button(page, 'Say it').click();
    await see(text(page, /Good morning to everybody/));
  });

  await check('the explorer of custom fields', async () => {
    await page.goto('/create/edit');
    await page.getByRole('button', { name: /Custom Field Explorer/ }).click();
    await page.waitForURL('**/create/edit/custom-fields');
    await see(text(page, /Field Options|Choose Custom Field/i));
  });
}

// folder lets the page open a folder that the browser keeps for it, in place of
// one that a person would choose.
async function folder(page) {
  await page.addInitScript(files => {
    window.showDirectoryPicker = async () => {
      const root = await navigator.storage.getDirectory();
      for (const [name, content] of Object.entries(files)) {
        const file = await (await root.getFileHandle(name, { create: true })).createWritable();
        await file.write(content);
        await file.close();
      }
      return root;
    };
  }, { 'template.yaml': dryTemplate, 'greeting.txt': '${{ values.greeting }}\n' });
}

const dryTemplate = `apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata:
  name: dry
  title: Runs dry
spec:
  owner: platform
  type: walk
  parameters:
    - title: What to say
      properties:
        greeting:
          title: Greeting
          type: string
  steps:
    - id: fetch
      name: Fetch
      action: fetch:template
      input:
        url: .
        values:
          greeting: \${{ parameters.greeting }}
    - id: say
      name: Say it
      action: debug:log
      input:
        message: \${{ parameters.greeting }} to everybody
`;
