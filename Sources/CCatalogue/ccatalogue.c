#include "ccatalogue.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char models[] = {
#embed "../Providers/Catalogue/models.json"
};

static const unsigned char rules[] = {
#embed "../Providers/Catalogue/rules.json"
};

const unsigned char *const gw_catalogue_models = models;
const size_t gw_catalogue_models_size = sizeof models;
const unsigned char *const gw_catalogue_rules = rules;
const size_t gw_catalogue_rules_size = sizeof rules;
