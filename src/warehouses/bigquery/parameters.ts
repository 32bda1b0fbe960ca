import type { Column, Statement } from '../warehouse.ts';

/** A named query parameter: a list of one type, each item as the exact text it was read as. */
interface ListParameter {
  type: string;
  values: string[];
}

/** Key columns go as lists of their own type, so that nothing is cast in SQL and BYTES stay what they are. */
export function typedKeys({ sql, params }: Statement, key: readonly Column[]): Statement {
  const lists = key.map(
    ({ nativeType }, at): ListParameter => ({ type: nativeType, values: textsOf(params[at]) }),
  );
  return { sql, params: lists };
}

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/QueryParameter. The API wants texts, the SDK sends numbers. */
export function queryParameters(params: readonly unknown[]): Record<string, unknown> {
  if (params.length === 0) return {};
  return {
    parameterMode: 'NAMED',
    queryParameters: params.map((param, at) => {
      const { type, values } = listOf(param);
      return {
        name: `key_${at + 1}`,
        parameterType: { type: 'ARRAY', arrayType: { type } },
        parameterValue: { arrayValues: values.map((value) => ({ value })) },
      };
    }),
  };
}

function listOf(param: unknown): ListParameter {
  if (param instanceof Object && 'type' in param && 'values' in param)
    return { type: String(param.type), values: textsOf(param.values) };
  throw new Error('a parameter is a typed list');
}

function textsOf(values: unknown): string[] {
  return Array.isArray(values) ? values.map(String) : [];
}
