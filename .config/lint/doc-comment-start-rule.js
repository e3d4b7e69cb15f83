/** First words of a doc comment that are neither a noun phrase nor a verb. */
const WRONG_START =
  /^(?:What|Whatever|How|Who|Whose|Whoever|Whether|Where|When|Why|Which|Since when|So (?:many|much|often|long)|Everybody|Somebody|Nobody|It|They)\b/;

/** @type {import('eslint').Rule.RuleModule} */
export const docCommentStartRule = {
  meta: {
    type: 'suggestion',
    messages: {
      start:
        'A doc comment begins with a noun phrase or a verb ("Maximum number of …", "Returns whether …"), not with "{{word}}".',
    },
    schema: [],
  },
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          if (comment.type !== 'Block' || !comment.value.startsWith('*') || comment.loc == null) continue;
          const [word] = WRONG_START.exec(comment.value.replace(/^[*\s]+/, '')) ?? [];
          if (word !== undefined) context.report({ loc: comment.loc, messageId: 'start', data: { word } });
        }
      },
    };
  },
};
