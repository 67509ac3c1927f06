"""The cases, a module for each kind. Sentences in answers are our own; codes, types and shapes are providers'."""
