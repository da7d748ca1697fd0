// Two plugins in a backend of Backstage: "peer", which says whom it takes its
// callers for and calls other plugins in their name, and "permission", which
// decides in place of the one of the platform.
import { createBackend } from '@backstage/backend-defaults';
import { coreServices, createBackendPlugin } from '@backstage/backend-plugin-api';
import { AuthorizeResult, createPermission } from '@backstage/plugin-permission-common';
import express from 'express';
import Router from 'express-promise-router';

// describe tells what this backend knows of a caller.
function describe({ principal, expiresAt }) {
  return { ...principal, expiresAt: expiresAt?.toISOString() };
}

const peer = createBackendPlugin({
  pluginId: 'peer',
  register(env) {
    env.registerInit({
      deps: {
        auth: coreServices.auth,
        discovery: coreServices.discovery,
        httpAuth: coreServices.httpAuth,
        httpRouter: coreServices.httpRouter,
        permissions: coreServices.permissions,
        userInfo: coreServices.userInfo,
      },
      async init({ auth, discovery, httpAuth, httpRouter, permissions, userInfo }) {
        const router = Router();
        router.use(express.json());

        router.get('/whoami', async (req, res) => {
          res.json(describe(await httpAuth.credentials(req)));
        });

        router.get('/userinfo', async (req, res) => {
          res.json(await userInfo.getUserInfo(await httpAuth.credentials(req, { allow: ['user'] })));
        });

        // Calls another plugin, for itself or for its caller, and passes the
        // answer on.
        router.post('/call', async (req, res) => {
          const { plugin, audience = plugin, path, method = 'GET', own, body } = req.body;
          const onBehalfOf = own ? await auth.getOwnServiceCredentials() : await httpAuth.credentials(req);
          const { token } = await auth.getPluginRequestToken({ onBehalfOf, targetPluginId: audience });
          const answer = await fetch((await discovery.getBaseUrl(plugin)) + path, {
            method,
            headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
            body: body && JSON.stringify(body),
          });
          res.json({ status: answer.status, body: await answer.text(), token });
        });

        router.post('/authorize', async (req, res) => {
          const credentials = await httpAuth.credentials(req);
          const [decision] = await permissions.authorizeConditional(
            [{ permission: createPermission(req.body.permission) }],
            { credentials },
          );
          res.json(decision);
        });

        httpRouter.use(router);
        httpRouter.addAuthPolicy({ path: '/limited', allow: 'user-cookie' });
        router.get('/limited', async (req, res) => {
          res.json(describe(await httpAuth.credentials(req, { allow: ['user'], allowLimitedAccess: true })));
        });
      },
    });
  },
});

// The policy: only jane may create locations, and others see what they own.
const permission = createBackendPlugin({
  pluginId: 'permission',
  register(env) {
    env.registerInit({
      deps: { httpAuth: coreServices.httpAuth, httpRouter: coreServices.httpRouter },
      async init({ httpAuth, httpRouter }) {
        const router = Router();
        router.use(express.json());
        router.post('/authorize', async (req, res) => {
          const { principal } = await httpAuth.credentials(req, { allow: ['user'] });
          console.log(`asked for ${principal.userEntityRef} by ${principal.actor?.subject}`);
          res.json({ items: req.body.items.map(item => ({ id: item.id, ...decide(principal, item.permission) })) });
        });
        httpRouter.use(router);
      },
    });
  },
});

function decide(principal, { name, resourceType }) {
  if (principal.userEntityRef === 'user:default/jane') {
    return { result: AuthorizeResult.ALLOW };
  }
  if (name !== 'catalog.entity.read') {
    return { result: AuthorizeResult.DENY };
  }
  return {
    result: AuthorizeResult.CONDITIONAL,
    pluginId: 'catalog',
    resourceType,
    conditions: { rule: 'IS_ENTITY_KIND', resourceType, params: { kinds: ['Component'] } },
  };
}

const backend = createBackend();
backend.add(peer);
backend.add(permission);
await backend.start();
