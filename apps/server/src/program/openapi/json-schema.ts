import { z } from 'zod';

/** A JSON schema or any other object of the document. */
export type Json = Record<string, unknown>;

/** Where schemas with a name are in the document. */
const COMPONENTS = '#/components/schemas/';

/** What the document says less than the check: members may be added, and every integer is an exact number anyway. */
function loosen({ jsonSchema: schema }: { readonly jsonSchema: Json }): void {
  if (schema.additionalProperties === false) delete schema.additionalProperties;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}

/** Every schema that has a name, by it. */
export function namedSchemas(): Json {
  const { schemas } = z.toJSONSchema(z.globalRegistry, {
    io: 'input',
    uri: (name) => `${COMPONENTS}${name}`,
    override: loosen,
  });
  const entries = Object.entries(schemas).map(([name, schema]) => {
    const { $schema: _dialect, $id: _id, id: _name, ...rest } = schema as Json;
    return [name, rest] as const;
  });
  return Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b)));
}

/** A reference to a schema that has a name, or the schema itself. */
export function schemaOf(schema: z.ZodType): Json {
  const name = z.globalRegistry.get(schema)?.id;
  if (name !== undefined) return { $ref: `${COMPONENTS}${name}` };
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input', override: loosen }) as Json;
  return rest;
}
