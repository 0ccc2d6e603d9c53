import { isJsonObject, type JsonObject } from './parse.ts';

const TYPES: ReadonlySet<unknown> = new Set([
  'array',
  'boolean',
  'integer',
  'null',
  'number',
  'object',
  'string',
]);
const CHILDREN = ['items', 'additionalProperties', 'not', 'if', 'then', 'else', 'contains', 'propertyNames'];
const CHILD_LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems'];
const CHILD_MAPS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'];

function isType(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 && value.every((type) => TYPES.has(type)) : TYPES.has(value);
}

function isNameList(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function isSchemaList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isJsonSchema);
}

function isSchemaMap(value: unknown): boolean {
  return isJsonObject(value) && Object.values(value).every(isJsonSchema);
}

function all(schema: JsonObject, names: readonly string[], isGood: (value: unknown) => boolean): boolean {
  return names.every((name) => schema[name] === undefined || isGood(schema[name]));
}

/**
 * Whether a value has the structure of a JSON Schema: the keywords that hold types, names and further
 * schemas hold them. Other keywords are left to the model's own checks. The nesting was bounded on parsing.
 */
export function isJsonSchema(value: unknown): boolean {
  if (typeof value === 'boolean') return true;
  if (!isJsonObject(value)) return false;
  return (
    all(value, ['type'], isType) &&
    all(value, ['required'], isNameList) &&
    all(value, ['enum'], Array.isArray) &&
    all(value, CHILDREN, (child) => isJsonSchema(child) || isSchemaList(child)) &&
    all(value, CHILD_LISTS, isSchemaList) &&
    all(value, CHILD_MAPS, isSchemaMap)
  );
}
