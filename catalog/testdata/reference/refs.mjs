// Records how Backstage reads and writes refs, for the Go tests to be held
// against:
//
//     npm install --prefix DIR @backstage/catalog-model@1.10.1
//     node refs.mjs DIR > refs.json
//
// Refs are put together from pieces in all ways up to some length. There is no
// chance in it: a second run writes the same file.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const require = createRequire(join(resolve(process.argv[2]), 'x.js'));
const { parseEntityRef, stringifyEntityRef, parseLocationRef, stringifyLocationRef } = require('@backstage/catalog-model');

function* words(pieces, most) {
  let last = [''];
  yield '';
  for (let n = 1; n <= most; n++) {
    last = last.flatMap(word => pieces.map(piece => word + piece));
    yield* last;
  }
}
const attempt = f => {
  try {
    return f();
  } catch (e) {
    return { name: e.name, message: e.message };
  }
};

const entities = [...words(['a', 'B', ':', '/'], 4), ...['a', 'B'].flatMap(a => [':', '/'].flatMap(b => [':', '/'].flatMap(c => ['', 'x'].flatMap(d => [a + b + d + c + d, d + b + a + c + a])))), ' ', 'a b', ' a:b/c ', 'é:ß/😀', 'a\n:b/c', 'A:B/C.D_E', 'user:default/Jane', '%3A', 'a%2Fb'];
const entityRefs = entities.flatMap(ref => (ref.length < 4 ? [[], ['K'], ['K', 'NS'], [undefined, 'NS']] : [[]]).map(([defaultKind, defaultNamespace]) => {
  const got = attempt(() => parseEntityRef(ref, { defaultKind, defaultNamespace }));
  const text = got.message === undefined ? { text: stringifyEntityRef(got) } : {};
  return { ref, defaultKind, defaultNamespace, ...got, ...text };
}));
const locations = [...words(['u', ':', ' '], 4), 'url:https://host/path', 'https://host/path', 'http://host', 'HTTP://host', ' url : https://host ', 'file:/etc/passwd',
  'url:javascript:alert(1)', 'url: JavaScript:x', 'url:java\nscript:x', 'url:\u0001javascript:x', 'url:javascript', 'url:a javascript:x', 'javascript:x', 'directory:./x', 'url:\thttps://x\n', 'é:ß', 'url:https://x:80/y?z#w'];
const locationRefs = locations.map(ref => {
  const got = attempt(() => parseLocationRef(ref));
  return { ref, ...got, ...(got.message === undefined ? { text: attempt(() => stringifyLocationRef(got)) } : {}) };
});
const list = items => `[\n${items.map(i => '    ' + JSON.stringify(i)).join(',\n')}\n  ]`;
process.stdout.write(`{\n  "entities": ${list(entityRefs)},\n  "locations": ${list(locationRefs)}\n}\n`);
