"""How Cingulum runs, on one machine (`deploy.local`) or many. The only importer of several services."""
