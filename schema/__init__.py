"""The GraphQL face: types, inputs and root fields, one module a noun; thin and declarative.

Types resolve in place on the rows and values the resolvers return: attributes by name, functions by parent.
Only this room knows Strawberry and GraphQL.
"""
