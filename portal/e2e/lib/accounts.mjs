// Starts doubles of those at whom people have accounts.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

// startAccounts returns the configuration that goes with them, for a portal at
// base. They take the three ports from `port`.
export async function startAccounts(base, port) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'greenroom-accounts-'));
  const program = path.join(folder, 'accounts');
  await promisify(execFile)('go', ['build', '-o', program, './api/signin/signintest/cmd/accounts'], { cwd: root });
  const [github, gitlab, oidc] = [port, port + 1, port + 2];
  const server = spawn(program, ['--portal', base, '--github', github, '--gitlab', gitlab, '--oidc', oidc].map(String), { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(server, 'exit');
  let said = '';
  for await (const chunk of server.stdout) {
    said += chunk;
    if (said.split('\n').length > 3) {
      break;
    }
  }
  const client = { clientId: 'greenroom', clientSecret: 'a-secret-of-the-client' };
  const by = resolver => ({ signIn: { resolvers: [{ resolver }] } });
  return {
    auth: {
      session: { secret: 'for-the-walk-alone' },
      providers: {
        github: { development: { ...client, ...by('usernameMatchingUserEntityName'), enterpriseInstanceUrl: `http://localhost:${github}` } },
        gitlab: { development: { ...client, ...by('emailMatchingUserEntityProfileEmail'), audience: `http://localhost:${gitlab}` } },
        oidc: {
          development: {
            ...client, ...by('emailMatchingUserEntityProfileEmail'), metadataUrl: `http://localhost:${oidc}`,
            prompt: 'auto', additionalScopes: ['offline_access'],
          },
        },
      },
    },
    async stop() {
      server.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
