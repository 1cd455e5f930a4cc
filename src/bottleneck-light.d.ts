/** The build of Bottleneck without its cluster support, which ships no types of its own. */
declare module 'bottleneck/light.js' {
  export { default } from 'bottleneck'
}
