import {
  type Context,
  type Emitter,
  Liquid,
  type LiquidOptions,
  Output,
  Parser,
  type Template,
  type Token,
  TypeGuards,
} from 'liquidjs';
import { escapes, installFilters } from './filters.ts';
import { operators } from './operators.ts';
import type { Scope } from './scope.ts';
import { checkSyntax } from './syntax.ts';

type Escape = (value: unknown) => string;

/** A `{{ … }}` that would leave a hole in the text. */
export class EmptyOutput extends Error {}

/** Tags that decide and repeat. Everything that reads files, counts across templates or hides expressions is left out. */
const allowedTags = [
  'if',
  'unless',
  'case',
  'for',
  'break',
  'continue',
  'assign',
  'capture',
  'comment',
  'raw',
  '#',
];

const refuse = (): never => {
  throw new Error('templates cannot read files');
};

const options: LiquidOptions = {
  ownPropertyOnly: true,
  strictVariables: true,
  strictFilters: true,
  dynamicPartials: false,
  relativeReference: false,
  groupedExpressions: true,
  fs: {
    exists: refuse,
    existsSync: refuse,
    readFile: refuse,
    readFileSync: refuse,
    resolve: refuse,
    contains: refuse,
    containsSync: refuse,
  },
  operators,
  timezoneOffset: 0,
  locale: 'en-US',
  parseLimit: 100_000,
  renderLimit: 2_000,
  memoryLimit: 5_000_000,
};

/** An output that refuses to print nothing. `default` is the one filter that may see nil. */
class CheckedOutput extends Output {
  readonly #escape: Escape | undefined;

  constructor(token: Output['token'], liquid: Liquid, escaping: Escape | undefined) {
    super(token, liquid);
    this.#escape = this.value.filters.at(-1)?.raw ? undefined : escaping;
  }

  /** The variable that this is, bare, without filter or member; undefined for any other expression. */
  get variable(): string | undefined {
    const { initial, filters } = this.value;
    const [token, ...more] = initial.postfix;
    return token && more.length === 0 && filters.length === 0 ? bareVariable(token) : undefined;
  }

  /** The text of a value. Throws for what must not be printed. */
  text(value: unknown): string {
    const text = printable(value);
    return String(this.#escape ? this.#escape(text) : text);
  }

  override *render(context: Context, emitter: Emitter): IterableIterator<unknown> {
    const { initial, filters } = this.value;
    let value: unknown = yield initial.evaluate(context, false);
    for (const [index, filter] of filters.entries()) {
      const handled = filters.slice(index).some(({ name }) => name === 'default');
      if (!handled) refuseEmpty(value);
      value = yield filter.render(value, context);
    }
    emitter.write(this.text(value));
  }
}

/** The variable that an operand is, bare, without member; undefined for any other. */
export function bareVariable(token: Token): string | undefined {
  if (!TypeGuards.isPropertyAccessToken(token) || token.variable) return undefined;
  const [name, ...members] = token.props;
  return name && members.length === 0 && TypeGuards.isWordToken(name) ? name.content : undefined;
}

/**
 * Renders a template of nothing but text and bare variables, as most are, in a tenth of LiquidJS' time; undefined for any
 * other. It throws where LiquidJS would, but cannot say where.
 */
export function plainRenderer(templates: readonly Template[]): ((scope: Scope) => string) | undefined {
  const parts: ((scope: Scope) => string)[] = [];
  for (const template of templates) {
    const { token } = template;
    const variable = template instanceof CheckedOutput ? template.variable : undefined;
    if (template instanceof CheckedOutput && variable !== undefined) {
      parts.push((scope) => template.text(scope[variable]));
    } else if (TypeGuards.isHTMLToken(token)) {
      const text = token.getContent();
      parts.push(() => text);
    } else return undefined;
  }
  return (scope) => parts.reduce((text, part) => text + part(scope), '');
}

function refuseEmpty(value: unknown): void {
  if (value === null || value === undefined) throw new EmptyOutput('is null for this row');
}

function printable(value: unknown): unknown {
  refuseEmpty(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new EmptyOutput('is not a number');
  if (Array.isArray(value)) throw new EmptyOutput('is a list');
  if (typeof value === 'object' && String(value) === '[object Object]') throw new EmptyOutput('is an object');
  return value;
}

class CheckedParser extends Parser {
  readonly #liquid: Liquid;
  readonly #escape: Escape | undefined;

  constructor(liquid: Liquid, escaping: Escape | undefined) {
    super(liquid);
    this.#liquid = liquid;
    this.#escape = escaping;
  }

  override parseToken(...[token, rest]: Parameters<Parser['parseToken']>): ReturnType<Parser['parseToken']> {
    const template = super.parseToken(token, rest);
    return template instanceof Output
      ? new CheckedOutput(template.token, this.#liquid, this.#escape)
      : template;
  }
}

/** LiquidJS without files, clock or silent gaps. One per escape. */
class Engine extends Liquid {
  readonly #escape: Escape | undefined;

  constructor(escaping: Escape | undefined) {
    super(options);
    this.#escape = escaping;
    for (const name of Object.keys(this.tags)) if (!allowedTags.includes(name)) delete this.tags[name];
    installFilters(this);
  }

  override parse(text: string): Template[] {
    const templates = new CheckedParser(this, this.#escape).parse(text);
    checkSyntax(text, this);
    return templates;
  }
}

const engines = new Map<string | undefined, Liquid>();

/** The engine that passes every `{{ }}` through the filter `escapeName`, unless it ends in `| raw`. */
export function engineFor(escapeName: string | undefined): Liquid {
  if (escapeName !== undefined && !Object.hasOwn(escapes, escapeName))
    throw new Error(`unknown escape ${escapeName}`);
  const engine =
    engines.get(escapeName) ?? new Engine(escapeName === undefined ? undefined : escapes[escapeName]);
  engines.set(escapeName, engine);
  return engine;
}
