#ifndef CCATALOGUE_H
#define CCATALOGUE_H

#include <stddef.h>

// The files of Sources/Providers/Catalogue, in read-only data: pages that nobody reads are not resident.
extern const unsigned char *const gw_catalogue_models;
extern const size_t gw_catalogue_models_size;
extern const unsigned char *const gw_catalogue_rules;
extern const size_t gw_catalogue_rules_size;

#endif
