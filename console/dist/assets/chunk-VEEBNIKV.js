import{d as t}from"./chunk-IQ4QUFSU.js";function i(e,n,r=!0){t(()=>{if(!r)return;let u=setInterval(()=>{document.hidden||n()},e);return()=>clearInterval(u)},[e,r])}export{i as a};
