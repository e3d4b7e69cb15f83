/** @type {import('eslint').Rule.RuleModule} */
export const noPipeRule = {
  meta: {
    type: 'problem',
    messages: {
      pipe:
        '`pipe` passes on neither errors nor a closed end: the source stays open for ever, and an error that nobody ' +
        'hears ends the process. Use `pipeline` of node:stream/promises.',
    },
    schema: [],
  },
  create(context) {
    return {
      'CallExpression > MemberExpression.callee': (/** @type {any} */ callee) => {
        const name = callee.computed ? callee.property.value : callee.property.name;
        if (name === 'pipe') context.report({ node: callee.property, messageId: 'pipe' });
      },
    };
  },
};
