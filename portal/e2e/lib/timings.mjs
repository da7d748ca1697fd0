// Says how long the answers took, for each route.

// routes turn a path into the route that answers it; the first that fits counts.
const routes = [
  [/^\/api\/catalog\/entities\/by-name\/[^/]+\/[^/]+\/[^/]+\/ancestry$/, '/api/catalog/entities/by-name/:kind/:namespace/:name/ancestry'],
  [/^\/api\/catalog\/entities\/by-name\/[^/]+\/[^/]+\/[^/]+$/, '/api/catalog/entities/by-name/:kind/:namespace/:name'],
  [/^\/api\/catalog\/entities\/by-uid\/[^/]+$/, '/api/catalog/entities/by-uid/:uid'],
  [/^\/api\/catalog\/locations\/by-entity\/.*$/, '/api/catalog/locations/by-entity/:kind/:namespace/:name'],
  [/^\/api\/catalog\/locations\/(?!by-query$)[^/]+$/, '/api/catalog/locations/:id'],
  [/^\/api\/scaffolder\/v2\/templates\/.*\/parameter-schema$/, '/api/scaffolder/v2/templates/:namespace/:kind/:name/parameter-schema'],
  [/^\/api\/scaffolder\/v2\/tasks\/[^/]+\/(\w+)$/, '/api/scaffolder/v2/tasks/:taskId/$1'],
  [/^\/api\/scaffolder\/v2\/tasks\/[^/]+$/, '/api/scaffolder/v2/tasks/:taskId'],
  [/^\/api\/user-settings\/buckets\/.*$/, '/api/user-settings/buckets/:bucket/keys/:key'],
  [/^\/api\/notifications\/notifications\/[0-9a-f-]+$/, '/api/notifications/notifications/:id'],
];

export function routeOf(path) {
  for (const [pattern, route] of routes) {
    if (pattern.test(path)) {
      return path.replace(pattern, route);
    }
  }
  return path;
}

// quantile is the smallest value that the share q of all values does not exceed.
export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
}

// table lists the routes by how often they were called. Event streams last as
// long as somebody looks, so that their time is the one to the first byte.
export function table(calls) {
  const byRoute = new Map();
  for (const call of calls) {
    const key = `${call.method} ${routeOf(call.path)}`;
    const time = call.stream ? call.first : call.whole;
    byRoute.set(key, [...(byRoute.get(key) ?? []), time]);
  }
  const rows = [...byRoute].sort(([, a], [, b]) => b.length - a.length);
  const lines = rows.map(([route, times]) => [
    String(times.length).padStart(6), quantile(times, 0.5).toFixed(1).padStart(9), quantile(times, 0.99).toFixed(1).padStart(9), ` ${route}`,
  ].join(''));
  return [` calls   p50/ms   p99/ms  route`, ...lines].join('\n');
}
