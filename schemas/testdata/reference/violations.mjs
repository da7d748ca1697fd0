// Records what Backstage says about entities that are broken in one or more
// places, for the Go tests to be held against:
//
//     npm install --prefix DIR ajv@8.20.0 @backstage/catalog-model@1.10.1 @backstage/plugin-scaffolder-common@2.3.0
//     node violations.mjs DIR > violations.jsonl
//
// The entities are those of bases.json, each broken systematically and then at
// random in several places. Those of the kinds that Backstage has a validator
// for are shown to it, and to ajv with our schema, and both have to say the
// same; those of the kinds in ../kinds, which try out keywords, only to ajv. It
// is set up as Backstage sets it up; of all errors the first one is shown, as
// "<path> <message> - <name of parameter>: <value>". There is no chance in it:
// a second run writes the same file.
import { createRequire } from 'node:module';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const require = createRequire(join(resolve(process.argv[2]), 'x.js'));
const Ajv = require('ajv').default;
const model = require('@backstage/catalog-model');
const ai = require('@backstage/catalog-model/alpha');
const { templateEntityV1beta3Validator } = require('@backstage/plugin-scaffolder-common');

const read = file => JSON.parse(readFileSync(join(here, file), 'utf8'));
const ajv = new Ajv({ allowUnionTypes: true, allErrors: true, validateSchema: true, logger: false });
for (const file of readdirSync(join(here, '../../kinds'))) {
  const name = file.replace('.json', '');
  ajv.addSchema({ ...read(`../../kinds/${file}`), $id: `schema:///${name}` });
}
for (const file of readdirSync(join(here, '../kinds'))) {
  const name = file.replace('.json', '');
  ajv.addSchema({ ...read(`../kinds/${file}`), $id: `schema:///custom-${name}` });
  ajv.addSchema({ $id: `schema:///custom/${name}`, allOf: [{ $ref: 'schema:///Entity' }, { $ref: `schema:///custom-${name}` }] });
}

function verdict(validate, value) {
  if (validate(value)) return null;
  const { instancePath, message, params } = validate.errors[0];
  const list = Object.entries(params).map(([k, v]) => `${k}: ${v}`).join(', ');
  return `${instancePath || '<root>'} ${message} - ${list}`;
}

const check = validator => async value => {
  // false means that apiVersion or kind are not the validator's
  return (await validator.check(value)) || undefined;
};
const validators = {
  Entity: async value => Boolean(model.entitySchemaValidator()(value)),
  EntityEnvelope: async value => Boolean(model.entityEnvelopeSchemaValidator()(value)),
  API: check(model.apiEntityV1alpha1Validator),
  Component: check(model.componentEntityV1alpha1Validator),
  Domain: check(model.domainEntityV1alpha1Validator),
  Group: check(model.groupEntityV1alpha1Validator),
  Location: check(model.locationEntityV1alpha1Validator),
  Resource: check(model.resourceEntityV1alpha1Validator),
  System: check(model.systemEntityV1alpha1Validator),
  User: check(model.userEntityV1alpha1Validator),
  Template: check(templateEntityV1beta3Validator),
};
const byType = {
  ModelAPI: { 'mcp-server': ai.mcpServerApiEntityValidator },
  AiResource: {
    skill: ai.skillAiResourceEntityV1alpha1Validator,
    rule: ai.ruleAiResourceEntityV1alpha1Validator,
    plugin: ai.pluginAiResourceEntityV1alpha1Validator,
    marketplace: ai.marketplaceAiResourceEntityV1alpha1Validator,
  },
};
const otherwise = { ModelAPI: model.apiEntityV1alpha1Validator, AiResource: ai.aiResourceEntityV1alpha1Validator };

// What Backstage says, null for nothing and undefined where it is not asked.
async function reference(of, value) {
  const validate = validators[of] ?? (byType[of] && check(byType[of][value?.spec?.type] ?? otherwise[of]));
  try {
    return (await validate?.(value)) && null;
  } catch (e) {
    return e.message;
  }
}

// Edits: {at, to} sets what a pointer leads to, {at} deletes it, {at, reversed}
// turns the order of its keys or elements around.
const escape = key => key.replaceAll('~', '~0').replaceAll('/', '~1');
const tokens = at => at.split('/').slice(1).map(t => t.replaceAll('~1', '/').replaceAll('~0', '~'));

function apply(base, edits) {
  let root = structuredClone(base);
  for (const edit of edits) {
    const path = tokens(edit.at);
    const last = path.pop();
    if (last === undefined) { root = edit.reversed ? reverse(root) : edit.to; continue; }
    let parent = root;
    for (const t of path) parent = parent?.[t];
    if (typeof parent !== 'object' || parent === null) continue;
    if (Array.isArray(parent) && !(Number(last) <= parent.length)) continue;
    if (edit.reversed) {
      if (typeof parent[last] === 'object' && parent[last] !== null) parent[last] = reverse(parent[last]);
    } else if ('to' in edit) parent[last] = structuredClone(edit.to);
    else if (Array.isArray(parent)) parent.splice(Number(last), 1);
    else delete parent[last];
  }
  return root;
}

function reverse(value) {
  return Array.isArray(value) ? value.toReversed() : Object.fromEntries(Object.entries(value).toReversed());
}

function* pointers(value, at = '') {
  yield at;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, part] of Object.entries(value)) yield* pointers(part, `${at}/${escape(key)}`);
}

const values = [null, true, -1.5, '', 'x', [], ['', 5], {}];
const customValues = [...values, 11, 'much longer than short', [[], 'a', 'a'], { x: {}, 'y/z': '' }];

function* singles(base, own, values) {
  for (const at of pointers(base)) {
    if (!own(at)) continue;
    if (at !== '') yield { at };
    for (const to of values) yield { at, to };
    const value = at === '' ? base : tokens(at).reduce((v, t) => v[t], base);
    if (Array.isArray(value)) yield { at: `${at}/${value.length}`, to: value[0] ?? 7 };
    else if (typeof value === 'object' && value !== null) {
      yield { at: `${at}/surplus`, to: 1 };
      yield { at: `${at}/x-a~1b`, to: [] };
    }
  }
}

// mulberry32 with a fixed seed.
let state = 20240601;
function random(n) {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % n;
}

const lines = new Set();
for (const [name, base] of Object.entries(read('bases.json'))) {
  const of = name.startsWith('custom/') ? name : name.split('/')[0];
  const validate = ajv.getSchema(`schema:///${of}`);
  if (verdict(validate, base) !== null) throw new Error(`${name}: ${verdict(validate, base)}`);
  const record = async edits => {
    const value = apply(base, edits);
    const want = verdict(validate, value);
    const said = await reference(of, value);
    if (said !== undefined && said !== want) throw new Error(`${name} ${JSON.stringify(edits)}: Backstage says "${said}", ajv with our schema "${want}"`);
    lines.add(JSON.stringify({ base: name, edits, ...(want !== null && { want }) }));
  };
  await record([]);
  // What every entity has is broken once, for Entity; for kinds it is their own part.
  const own = at => of.startsWith('Entity') || at === '' || at.split('/').length === 2 || at.startsWith('/spec');
  const list = [...singles(base, own, of.startsWith('custom/') ? customValues : values)];
  for (const edit of list) await record([edit]);
  const objects = [...pointers(base)].filter(at => /^\/(metadata|spec)/.test(at) || at === '').map(at => ({ at, reversed: true }));
  // Deep edits are what makes the order of errors interesting.
  const deep = list.filter(e => e.at.split('/').length > 2);
  for (let i = 0; i < deep.length / 2; i++) {
    const edits = Array.from({ length: 2 + random(3) }, () => deep[random(deep.length)]);
    if (random(3) === 0) edits.push(objects[random(objects.length)]);
    await record(edits);
  }
}
process.stdout.write([...lines].join('\n') + '\n');
