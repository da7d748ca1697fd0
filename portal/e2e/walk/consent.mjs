import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { button, see, text } from '../lib/see.mjs';

// consent lets an editor act for the user: it registers, the user is asked on
// the page of the portal, and the editor gets a token for the answer.
export async function consent(world, check) {
  const { page, base } = world;
  const editor = await listen();

  await check('the page says who asks and where the answer goes, and the editor gets a token', async () => {
    const { client, verifier, url } = await ask(base, editor.callback);
    await page.goto(url);
    await see(text(page, 'An editor'));
    await see(text(page, editor.callback));
    await button(page, 'Authorize').click();
    const answer = await editor.called();
    await see(text(page, 'You can close this page.'));
    assert.equal(answer.get('state'), 'of the editor');
    const token = await fetch(`${base}/api/auth/v1/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code', code: answer.get('code'), client_id: client,
        redirect_uri: editor.callback, code_verifier: verifier,
      }),
    });
    assert.equal(token.status, 200);
    const { access_token: bearer } = await token.json();
    const claims = await fetch(`${base}/api/auth/v1/userinfo`, { headers: { Authorization: `Bearer ${bearer}` } });
    assert.equal((await claims.json()).claims.sub, 'user:default/guest');
  });

  await check('who says no sends the editor away', async () => {
    const { url } = await ask(base, editor.callback);
    await page.goto(url);
    await button(page, 'Cancel').click();
    assert.equal((await editor.called()).get('error'), 'access_denied');
    await see(text(page, 'You can close this page.'));
  });

  await editor.close();
  await page.goto('/');
}

// ask registers an editor, and returns where it sends the browser.
async function ask(base, callback) {
  const registered = await fetch(`${base}/api/auth/v1/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ client_name: 'An editor', redirect_uris: [callback], token_endpoint_auth_method: 'none' }),
  });
  const { client_id: client } = await registered.json();
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: client, redirect_uri: callback, response_type: 'code', state: 'of the editor', code_challenge_method: 'S256',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  });
  return { client, verifier, url: `${base}/api/auth/v1/authorize?${query}` };
}

// listen is the editor, which waits for the browser to come back.
async function listen() {
  const arrived = [];
  let wake = () => {};
  const server = createServer((request, response) => {
    response.end('You can close this page.');
    if (request.url.startsWith('/callback')) {
      arrived.push(new URL(request.url, 'http://127.0.0.1').searchParams);
      wake();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    callback: `http://127.0.0.1:${server.address().port}/callback`,
    async called() {
      while (arrived.length === 0) {
        await new Promise(resolve => { wake = resolve; });
      }
      return arrived.shift();
    },
    close: () => new Promise(resolve => { server.close(resolve); server.closeAllConnections(); }),
  };
}
