import { createApp } from '@backstage/frontend-defaults';
import { coreExtensionData } from '@backstage/frontend-plugin-api';
import userSettingsStorage from '@backstage/plugin-app-module-user-settings';
import apiDocs from '@backstage/plugin-api-docs/alpha';
import appVisualizer from '@backstage/plugin-app-visualizer';
import auth from '@backstage/plugin-auth';
import catalog from '@backstage/plugin-catalog/alpha';
import catalogGraph from '@backstage/plugin-catalog-graph/alpha';
import catalogImport from '@backstage/plugin-catalog-import/alpha';
import home from '@backstage/plugin-home/alpha';
import kubernetes from '@backstage/plugin-kubernetes/alpha';
import notifications from '@backstage/plugin-notifications/alpha';
import org from '@backstage/plugin-org/alpha';
import scaffolder from '@backstage/plugin-scaffolder/alpha';
import search from '@backstage/plugin-search/alpha';
import signals from '@backstage/plugin-signals/alpha';
import techdocs from '@backstage/plugin-techdocs/alpha';
import techdocsAddons from '@backstage/plugin-techdocs-module-addons-contrib/alpha';
import userSettings from '@backstage/plugin-user-settings/alpha';
import { navigation } from './navigation';
import { signIn } from './signin';

// The catalog is the first page, as in a new Backstage app, also where the
// configuration does not say so. Its path there still decides.
const catalogFirst = catalog.withOverrides({
  extensions: [
    catalog.getExtension('page:catalog').override({
      factory: (original, { config }) => [...original(), coreExtensionData.routePath(config.path ?? '/')],
    }),
  ],
});

// The plugins are named rather than discovered, so that a configuration without
// app.packages gets all of them too.
export const app = createApp({
  features: [
    apiDocs, appVisualizer, auth, catalogFirst, catalogGraph, catalogImport, home, kubernetes, notifications, org, scaffolder,
    search, signals, techdocs, techdocsAddons, userSettings, userSettingsStorage, navigation, signIn,
  ],
});
