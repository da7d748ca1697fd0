import { OAuth2 } from '@backstage/core-app-api';
import { ProxiedSignInPage, SignInPage } from '@backstage/core-components';
import {
  type BackstageIdentityApi,
  type OpenIdConnectApi,
  type ProfileInfoApi,
  type SessionApi,
  configApiRef,
  createApiRef,
  discoveryApiRef,
  githubAuthApiRef,
  gitlabAuthApiRef,
  oauthRequestApiRef,
  useApi,
} from '@backstage/core-plugin-api';
import { ApiBlueprint, createFrontendModule } from '@backstage/frontend-plugin-api';
import { SignInPageBlueprint } from '@backstage/plugin-app-react';

// The stock app has no client for OpenID Connect that is bound to no vendor.
const oidcAuthApiRef = createApiRef<OpenIdConnectApi & ProfileInfoApi & BackstageIdentityApi & SessionApi>({ id: 'core.auth.oidc' });

const oidcAuth = ApiBlueprint.make({
  name: 'oidc-auth',
  params: define =>
    define({
      api: oidcAuthApiRef,
      deps: { configApi: configApiRef, discoveryApi: discoveryApiRef, oauthRequestApi: oauthRequestApiRef },
      factory: ({ configApi, discoveryApi, oauthRequestApi }) =>
        OAuth2.create({
          configApi,
          discoveryApi,
          oauthRequestApi,
          provider: { id: 'oidc', title: 'OpenID Connect', icon: () => null },
          defaultScopes: ['openid', 'profile', 'email'],
          environment: configApi.getOptionalString('auth.environment'),
        }),
    }),
});

const known = [
  { id: 'github', title: 'GitHub', message: 'Sign in with GitHub', apiRef: githubAuthApiRef },
  { id: 'gitlab', title: 'GitLab', message: 'Sign in with GitLab', apiRef: gitlabAuthApiRef },
  { id: 'oidc', title: 'OpenID Connect', message: 'Sign in with the account of your organisation', apiRef: oidcAuthApiRef },
];

// The page offers the providers that the configuration has a sign-in for, in the
// environment that the clients of the stock app ask for. Behind oauth2-proxy
// people are signed in before they come, so that there is nothing to choose.
const signInPage = SignInPageBlueprint.make({
  params: {
    loader: async () => props => {
      const config = useApi(configApiRef);
      const environment = config.getOptionalString('auth.environment') ?? 'development';
      if (config.has('auth.providers.oauth2Proxy')) {
        return <ProxiedSignInPage {...props} provider="oauth2Proxy" />;
      }
      const offered = known.filter(({ id }) => config.has(`auth.providers.${id}.${environment}.signIn`));
      const guest = config.has('auth.providers.guest') || offered.length === 0;
      return <SignInPage {...props} providers={[...(guest ? (['guest'] as const) : []), ...offered]} />;
    },
  },
});

export const signIn = createFrontendModule({ pluginId: 'app', extensions: [oidcAuth, signInPage] });
