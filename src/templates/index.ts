export { type Condition, compileCondition } from './condition.ts';
export { conditionMemberUses, type MemberUse, memberUses } from './members.ts';
export { joinScopes, rowScope, type Scope, templateValue } from './scope.ts';
export { type CompileOptions, compileTemplate, type Template } from './template.ts';
