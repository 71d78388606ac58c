# Copyright 2026 The vos_ros authors
# SPDX-License-Identifier: Apache-2.0
#
# Lets CMake build ROS 2 packages against ROS wheels installed into a virtual environment. An ordinary ROS 2
# installation neither needs nor uses this file.
#
# The environment is the one in VIRTUAL_ENV, or .venv beside this folder.
if(DEFINED ENV{VIRTUAL_ENV})
  set(_wheels_prefix "$ENV{VIRTUAL_ENV}")
else()
  get_filename_component(_wheels_prefix "${CMAKE_CURRENT_LIST_DIR}/../.venv" ABSOLUTE)
endif()
if(NOT EXISTS "${_wheels_prefix}/bin/python")
  message(FATAL_ERROR
    "There is no Python in '${_wheels_prefix}'. Run 'make setup', or activate the virtual environment that holds "
    "the ROS wheels, and configure again.")
endif()

set(Python3_EXECUTABLE "${_wheels_prefix}/bin/python" CACHE FILEPATH "Python of the ROS wheels")
list(PREPEND CMAKE_PREFIX_PATH "${_wheels_prefix}")
# The generators look packages up through the ament index rather than through CMake.
if(NOT DEFINED ENV{AMENT_PREFIX_PATH})
  set(ENV{AMENT_PREFIX_PATH} "${_wheels_prefix}")
endif()
# CMake reads this after the project() of every project, so it sees the targets that the project imports.
set(CMAKE_PROJECT_INCLUDE "${CMAKE_CURRENT_LIST_DIR}/prune-wheel-includes.cmake")
