#ifndef CSIMULATORDATA_H
#define CSIMULATORDATA_H

#include <stddef.h>

// Sources/Simulator/Data/strictness.json, in the program, so that an installed one needs no file.
extern const unsigned char *const gw_simulator_strictness;
extern const size_t gw_simulator_strictness_size;

#endif
