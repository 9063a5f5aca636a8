// The generated protobuf-c bindings of Proto/genwire/v1. Everything else in this target is generated: see scripts/proto.sh.
#pragma once

#include "genwire/v1/generation.pb-c.h"
#include "genwire/v1/generation.index.h"
