// Serves the descriptors that the walk imports, as a Git host's raw files would be.
import http from 'node:http';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';

export async function serveDescriptors() {
  const server = http.createServer(async (request, response) => {
    const name = request.url.slice(1);
    if (!/^[a-z-]+\.yaml$/.test(name)) {
      response.writeHead(404).end();
      return;
    }
    try {
      const body = await readFile(new URL(`../fixtures/${name}`, import.meta.url));
      response.writeHead(200, { 'Content-Type': 'text/yaml' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    close: () => new Promise(resolve => server.close(resolve)),
  };
}
