const amount: number = 'of a string';

Promise.reject(new Error(`nobody hears of ${amount}`));
