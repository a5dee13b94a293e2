//! socketio.
