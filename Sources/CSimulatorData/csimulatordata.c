#include "csimulatordata.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char strictness[] = {
#embed "../Simulator/Data/strictness.json"
};

const unsigned char *const gw_simulator_strictness = strictness;
const size_t gw_simulator_strictness_size = sizeof strictness;
