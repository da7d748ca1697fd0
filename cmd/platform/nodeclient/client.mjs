// Connects to the MCP server at the URL in the first argument, with the token
// in the second, and makes the calls that stdin holds as a JSON list of
// {name, arguments}. Prints the tools and the results as JSON.
import { readFileSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const [url, token] = process.argv.slice(2);
const client = new Client({ name: 'test', version: '1' });
await client.connect(
  new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
  }),
);
const { tools } = await client.listTools();
const results = [];
for (const call of JSON.parse(readFileSync(0, 'utf8'))) {
  results.push(await client.callTool(call));
}
await client.close();
console.log(JSON.stringify({ server: client.getServerVersion(), tools, results }));
