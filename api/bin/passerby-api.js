#!/usr/bin/env node
// Stands here, and not in dist/, so that npm finds it to link before anything was built.
import '../dist/main.js';
